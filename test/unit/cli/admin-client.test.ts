import { writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createAdminClient } from '../../../gateway/cli/admin-client.ts'
import { RefusedError, UsageError } from '../../../gateway/cli/command.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'
import { captureSurroundings } from '../dev/surroundings.ts'

const here = (environment: Record<string, string> = {}) => ({ ...captureSurroundings(), environment })

async function serve(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    admin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const answering = (status: number, body: string, headers: Record<string, string> = {}) =>
  serve((_request, response) => response.writeHead(status, headers).end(body))

describe('the client of the admin listener', () => {
  it('sends the token of the environment, and JSON', async () => {
    await using server = await serve((request, response) => {
      const { method, url, headers } = request
      request.toArray().then(
        (chunks) =>
          response.end(
            JSON.stringify({
              method,
              url,
              authorization: headers.authorization,
              type: headers['content-type'],
              body: Buffer.concat(chunks as Buffer[]).toString(),
            }),
          ),
        () => response.destroy(),
      )
    })
    const client = createAdminClient(server, here({ TOOLGATE_ADMIN_TOKEN: 'secret' }))
    expect(await client.post('locks', { scope: 'all' })).toEqual({
      method: 'POST',
      url: '/admin/v1/locks',
      authorization: 'Bearer secret',
      type: 'application/json',
      body: '{"scope":"all"}',
    })
  })

  it('takes the token of a file before the one of the environment', async () => {
    await using directory = await temporaryDirectory()
    await using server = await serve((request, response) =>
      response.end(JSON.stringify(request.headers.authorization)),
    )
    const file = join(directory.path, 'token')
    await writeFile(file, 'mine\n')
    const client = createAdminClient(
      { ...server, 'token-file': file },
      here({ TOOLGATE_ADMIN_TOKEN: 'other' }),
    )
    expect(await client.get('x')).toBe('Bearer mine')
  })

  it('says why the gateway said no, in text that is safe to print', async () => {
    const problem = { title: 'No such lock', detail: 'all\u001b[2J\u202egone', status: 404 }
    await using server = await answering(404, JSON.stringify(problem))
    const asking = createAdminClient(server, here()).get('locks/1')
    await expect(asking).rejects.toThrow(
      new RefusedError('No such lock: all\ufffd[2J\ufffdgone (404)', problem),
    )
  })

  it.each([500, 503, 504])('calls %s a failure and no refusal', async (status) => {
    await using server = await answering(status, '{"title":"failed"}')
    const error: unknown = await createAdminClient(server, here())
      .get('x')
      .catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(Error)
    expect(error).not.toBeInstanceOf(RefusedError)
  })

  it('follows no redirect with its token', async () => {
    let followed = false
    await using other = await serve((_request, response) => {
      followed = true
      response.end('{}')
    })
    await using server = await answering(307, '{}', { location: `${other.admin}/admin/v1/x` })
    await expect(createAdminClient(server, here({ TOOLGATE_ADMIN_TOKEN: 's' })).get('x')).rejects.toThrow(
      '307',
    )
    expect(followed).toBe(false)
  })

  it.each([
    ['no JSON', '<html>'],
    ['JSON that reads in two ways', '{"a":1,"a":2}'],
    ['more than it will hold', `"${'x'.repeat(16 * 1_024 * 1_024)}"`],
  ])('refuses an answer that is %s', async (_what, body) => {
    await using server = await answering(200, body)
    await expect(createAdminClient(server, here()).get('x')).rejects.toThrow('no admin listener of a gateway')
  })

  it('names where nothing answers', async () => {
    await using server = await answering(200, '{}')
    await server[Symbol.asyncDispose]()
    await expect(createAdminClient(server, here()).get('x')).rejects.toThrow(server.admin)
  })

  it.each([
    [{ admin: 'http://gateway.example' }, 'a token is not sent'],
    [{ admin: 'ftp://127.0.0.1' }, 'is not an origin'],
    [{ admin: 'http://127.0.0.1/path' }, 'is not an origin'],
    [{ admin: 'http://user@127.0.0.1' }, 'is not an origin'],
    [{ 'token-file': '/nowhere/token' }, 'cannot be read'],
    [{ cert: '/nowhere/cert' }, 'belong together'],
    [{ ca: import.meta.filename }, 'certificates need an https origin'],
  ])('refuses to be used with %j', (values, reason) => {
    const make = () => createAdminClient(values, here({ TOOLGATE_ADMIN_TOKEN: 'secret' }))
    expect(make).toThrow(UsageError)
    expect(make).toThrow(reason)
  })

  it('does not show what is in a file that holds no token', async () => {
    await using directory = await temporaryDirectory()
    const file = join(directory.path, 'token')
    await writeFile(file, 'two words')
    expect(() => createAdminClient({ 'token-file': file }, here())).toThrow(`${file} holds no token`)
  })
})
