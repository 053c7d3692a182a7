import * as fc from 'fast-check'

const characters = (text: string): string[] => text.split('')
const unreserved = characters('ABCXYZabcxyz0123456789-._~')

/** Everything that a segment may hold, as it stands on the wire: as it is, or encoded because it has to be. */
const segment = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...unreserved) },
      { weight: 2, arbitrary: fc.constantFrom(...characters("!$&'()*+,=:@")) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          '%20',
          '%3b',
          '%3A',
          '%23',
          '%3F',
          '%7E',
          '%2541',
          '%C3%A9',
          '%f0%9f%98%80',
        ),
      },
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => parts.join(''))
  .filter((text) => !/^\.{1,2}$/.test(text) && !/%25(?:00|2[5ef]|5c)/i.test(text))

const query = fc
  .array(
    fc.constantFrom(
      ...unreserved,
      ...characters("!$&'()*+,=:@/?[]{}|^`&&=="),
      '%20',
      '%C3%A9',
      '%2F',
      '%26',
      '%25',
    ),
    { maxLength: 24 },
  )
  .map((parts) => parts.join(''))

export interface Content {
  readonly type: string
  readonly bytes: Buffer
}

const json = fc
  .tuple(
    fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), fc.jsonValue({ maxDepth: 3 })),
    fc.constantFrom('', ' ', '\t', '\r\n'),
  )
  .map(([value, space]): Content => {
    const text = JSON.stringify(value, null, space === '\r\n' ? ' ' : space)
    return {
      type: 'application/json',
      bytes: Buffer.from(space === '\r\n' ? text.replaceAll('\n', '\r\n') : text),
    }
  })
  .filter(({ bytes }) => !bytes.includes('__proto__') && !bytes.includes('\\ud'))
const opaque = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes): Content => ({
  type: 'application/octet-stream',
  bytes: Buffer.from(bytes),
}))

export interface RandomCall {
  readonly method: string
  /** Below the connector. */
  readonly target: string
  readonly content?: Content
}

/** A call of an operation that the catalogue has: method, target below the connector, body. */
export const call: fc.Arbitrary<RandomCall> = fc
  .record({
    owner: segment,
    repo: segment,
    name: segment,
    query,
    json,
    opaque,
    kind: fc.constantFrom('get', 'delete', 'post', 'put', 'upload'),
  })
  .map(({ owner, repo, name, query, json, opaque, kind }) => {
    const repository = `/repos/${owner}/${repo}`
    const search = query === '' ? '' : `?${query}`
    switch (kind) {
      case 'get':
        return { method: 'GET', target: `${repository}/labels/${name}${search}` }
      case 'delete':
        return { method: 'DELETE', target: `${repository}/labels/${name}${search}` }
      case 'post':
        return { method: 'POST', target: `${repository}/labels${search}`, content: json }
      case 'put':
        return { method: 'PUT', target: `${repository}/contents/${name}${search}`, content: json }
      default:
        return { method: 'POST', target: `${repository}/releases/1/assets${search}`, content: opaque }
    }
  })

/** One that any API may need and passes, in any case of its letters, with a value of printable bytes. */
export const passed: fc.Arbitrary<Field> = fc
  .record({
    name: fc.constantFrom(
      'Accept',
      'ACCEPT-LANGUAGE',
      'if-None-Match',
      'Idempotency-Key',
      'Content-Language',
      'X-GitHub-Api-Version',
    ),
    value: fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/),
    // The gateway reads it, too, and takes no other for one.
    key: fc.uuid(),
  })
  .map(({ name, value, key }): Field => [name, name === 'Idempotency-Key' ? `"${key}"` : value])

export type Field = readonly [name: string, value: string]
