import { describe, expect, it } from 'vitest'
import { formatOperations, type Published } from '../../../connectors/tools/operations-file.ts'
import { operationsOfOpenApi, type OpenApiDocument } from '../../../connectors/tools/sources/openapi.ts'

const document: OpenApiDocument = {
  info: { version: '1' },
  components: {
    parameters: { ref: { name: 'ref', in: 'path', 'x-multi-segment': true } },
  },
  paths: {
    '/things/{ref}': {
      parameters: [{ $ref: '#/components/parameters/ref' }],
      get: {
        operationId: 'things/get',
        security: [{ OAuth2: ['write:x', 'read:x'] }, { basic: [] }, { OAuth2: ['read:x'] }],
      },
      delete: { operationId: 'things/delete', deprecated: true },
    },
    '/files': {
      post: {
        operationId: 'files/upload',
        servers: [{ url: 'https://uploads.example.com' }],
        requestBody: { content: { 'application/octet-stream': {} } },
      },
      put: { operationId: 'files/put', requestBody: { content: { 'application/json': {} } } },
    },
  },
}

function publishedOf(operations: Published['operations']): Published {
  const source = {
    name: 'n',
    version: '1',
    licence: 'MIT',
    sha256: '0'.repeat(64),
    operations: operations.length,
  }
  return { source, operations }
}

describe('operations of an OpenAPI description', () => {
  it('keep method, path, id, slashes, scopes, origin and unusual media types', () => {
    const text = formatOperations('example', [publishedOf(operationsOfOpenApi(document))])
    const { operations } = JSON.parse(text) as { operations: unknown }
    expect(operations).toEqual([
      { id: 'files/put', method: 'PUT', path: '/files' },
      {
        id: 'files/upload',
        method: 'POST',
        path: '/files',
        origin: 'https://uploads.example.com',
        consumes: ['application/octet-stream'],
      },
      { id: 'things/delete', method: 'DELETE', path: '/things/{ref}', slash: ['ref'], deprecated: true },
      {
        id: 'things/get',
        method: 'GET',
        path: '/things/{ref}',
        slash: ['ref'],
        scopes: ['read:x', 'write:x'],
      },
    ])
  })

  it('take a base path and a prefix for their ids', () => {
    const [operation] = operationsOfOpenApi(document, { basePath: '/v2', idPrefix: 'p/' })
    expect(operation).toMatchObject({ id: 'p/things/get', path: '/v2/things/{ref}' })
  })

  it('need an id', () => {
    const nameless = { info: { version: '1' }, paths: { '/a': { get: {} } } }
    expect(() => operationsOfOpenApi(nameless)).toThrow('get /a has no operationId')
  })

  it('are refused when an id or a shape is there twice', () => {
    const a = { id: 'a', method: 'GET', path: '/x/{b}' }
    expect(() => formatOperations('e', [publishedOf([a]), publishedOf([a])])).toThrow('a and a are both "a"')
    const same = { id: 'b', method: 'GET', path: '/x/{c}' }
    expect(() => formatOperations('e', [publishedOf([a, same])])).toThrow('a and b are both "GET /x/{}"')
  })
})
