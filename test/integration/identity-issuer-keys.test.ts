import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { IssuerConfig } from '../../gateway/config/config.ts'
import { startIdentifyServer } from '../harness/identify-server.ts'
import type { Answer, IdentifyServer } from '../harness/identify-server.ts'
import { startIssuer } from '../harness/issuer.ts'
import type { Issuer } from '../harness/issuer.ts'
import { createPki } from '../harness/pki.ts'
import { createProofKey, signProof } from '../harness/proof.ts'

const key = createProofKey()
let issuer: Issuer
let nowMs: number
const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs }

beforeEach(async () => {
  nowMs = Date.now()
  issuer = await startIssuer()
})
afterEach(async () => {
  await issuer[Symbol.asyncDispose]()
})

function start(jwks: Partial<Extract<IssuerConfig['jwks'], { uri: string }>> = {}): Promise<IdentifyServer> {
  const remote = { ...issuer.config.jwks, ...jwks } as IssuerConfig['jwks']
  return startIdentifyServer({ issuers: [{ ...issuer.config, jwks: remote }], clock })
}

function present(server: IdentifyServer, token: string): Promise<Answer> {
  const proof = signProof({ key, method: 'GET', url: `${server.origin}/`, token, nowMs })
  return server.send({ headers: ['Authorization', `DPoP ${token}`, 'DPoP', proof] })
}

const fresh = (): string => issuer.token({ jkt: key.jkt, nowMs, lifetimeMs: 7_200_000 })

describe('keys that the issuer serves', () => {
  test('are fetched once, whatever the number of calls at the start', async () => {
    await using server = await start()
    const answers = await Promise.all([1, 2, 3, 4].map(() => present(server, fresh())))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(issuer.fetches()).toBe(1)
  })

  test('are fetched again for a key that was not there yet, once in a cooldown', async () => {
    await using server = await start({ cooldownMs: 30_000 })
    expect(await present(server, fresh())).toMatchObject({ status: 200 })
    issuer.rotate('keep')
    expect(await present(server, fresh())).toMatchObject({ code: 'identity.token_invalid' })
    nowMs += 30_000
    expect(await present(server, fresh())).toMatchObject({ status: 200 })
    expect(issuer.fetches()).toBe(2)
  })

  test('cannot be made to be fetched by made-up key ids', async () => {
    await using server = await start()
    await server.identity.opened
    for (const kid of ['a', 'b', 'c', 'd']) {
      const token = issuer.token({ jkt: key.jkt, header: { kid } })
      expect(await present(server, token)).toMatchObject({ code: 'identity.token_invalid' })
    }
    expect(issuer.fetches()).toBe(1)
  })

  test('when one leaves, the tokens it signed go with it, also those verified before', async () => {
    await using server = await start({ cacheMaxAgeMs: 60_000 })
    const old = fresh()
    expect(await present(server, old)).toMatchObject({ status: 200 })
    issuer.rotate('drop')
    nowMs += 61_000
    expect(await present(server, fresh())).toMatchObject({ status: 200 })
    expect(server.events).toContain('keysLoaded, one lost')
    expect(await present(server, old)).toMatchObject({ code: 'identity.token_invalid' })
  })

  test('are looked for again on a timer, so that a withdrawn key is forgotten without any call', async () => {
    await using server = await start({ cacheMaxAgeMs: 1000, cooldownMs: 0 })
    await server.identity.opened
    issuer.rotate('drop')
    nowMs += 1000
    await vi.waitFor(() => expect(server.events).toContain('keysLoaded, one lost'), { timeout: 5000 })
  })

  test('stay in use while the issuer is down, but not for ever', async () => {
    await using server = await start({ cacheMaxAgeMs: 60_000, staleIfErrorMs: 600_000, cooldownMs: 0 })
    expect(await present(server, fresh())).toMatchObject({ status: 200 })
    issuer.answerWith((_request, response) => response.writeHead(500).end())
    nowMs += 599_000
    const held = fresh()
    expect(await present(server, held)).toMatchObject({ status: 200 })
    nowMs += 2000
    expect(await present(server, fresh())).toMatchObject({ status: 503, code: 'identity.keys_unavailable' })
    // Verified a moment ago, and vouched for by nobody now.
    expect(await present(server, held)).toMatchObject({ code: 'identity.keys_unavailable' })
    expect(server.identity.ready()).toBe(false)
  })
})

test('a key server that hangs holds no call up whose key is known and not too old', async () => {
  const hour = { cacheMaxAgeMs: 60_000, staleIfErrorMs: 3_600_000, cooldownMs: 0, timeoutMs: 60_000 }
  await using server = await start(hour)
  expect(await present(server, fresh())).toMatchObject({ status: 200 })
  const asked = new Promise<void>((resolve) => issuer.answerWith(() => resolve()))
  nowMs += 61_000
  expect(await present(server, fresh())).toMatchObject({ status: 200 })
  // But the answer is asked for at once.
  await asked
})

describe('when keys cannot be had at the start', () => {
  test('calls are refused as unavailable, and pass once the issuer is back', async () => {
    issuer.answerWith((_request, response) => response.writeHead(503).end())
    await using server = await start()
    await server.identity.opened
    expect(server.identity.ready()).toBe(false)
    expect(await present(server, fresh())).toMatchObject({ status: 503, code: 'identity.keys_unavailable' })
    issuer.answerWith(undefined)
    nowMs += 1000
    expect(await present(server, fresh())).toMatchObject({ status: 200 })
    expect(server.identity.ready()).toBe(true)
  })

  test('one issuer that is down does not take another with it', async () => {
    await using other = await startIssuer()
    issuer.answerWith((_request, response) => response.writeHead(503).end())
    await using server = await startIdentifyServer({ issuers: [issuer.config, other.config], clock })
    await server.identity.opened
    expect(server.identity.ready()).toBe(true)
    expect(server.identity.status().map(({ usable }) => usable)).toEqual([false, true])
    expect(await present(server, other.token({ jkt: key.jkt, nowMs }))).toMatchObject({ status: 200 })
  })

  test.each<[what: string, listener: Parameters<Issuer['answerWith']>[0]]>([
    [
      'is larger than any key set',
      (_request, response) => void response.end(JSON.stringify({ ...issuer.jwks(), x: 'x'.repeat(600_000) })),
    ],
    ['is a redirect', (_request, response) => response.writeHead(302, { location: issuer.jwksUri }).end()],
    [
      'is a good key set with another status',
      (_request, response) => response.writeHead(404).end(JSON.stringify(issuer.jwks())),
    ],
    ['is not JSON', (_request, response) => void response.end('<html>')],
    ['is no key set', (_request, response) => void response.end('{"issuer":"x"}')],
    [
      'has no key of an allowed algorithm',
      (_request, response) => void response.end('{"keys":[{"kty":"oct","k":"AAAA"}]}'),
    ],
    ['holds one member twice', (_request, response) => void response.end('{"keys":[],"keys":[]}')],
  ])('an answer that %s is no key set', async (_what, listener) => {
    issuer.answerWith(listener)
    await using server = await start()
    await server.identity.opened
    expect(server.events).toEqual(['keysFailed'])
    expect(await present(server, fresh())).toMatchObject({ code: 'identity.keys_unavailable' })
  })

  test('an issuer that does not answer holds no call longer than its timeout', async () => {
    issuer.answerWith(() => undefined)
    await using server = await start({ timeoutMs: 100 })
    expect(await present(server, fresh())).toMatchObject({ code: 'identity.keys_unavailable' })
  })

  test.each([
    'http://keys.bank.example/jwks',
    'ftp://127.0.0.1/jwks',
    'https://user:secret@keys.bank.example/',
  ])('%s is no place to fetch keys from', async (uri) => {
    await expect(start({ uri })).rejects.toThrow('cannot be fetched safely')
  })
})

describe('keys from a file', () => {
  test('are read again when the file is replaced; a broken file leaves the last good ones', async () => {
    await using pki = createPki()
    const file = join(pki.directory, 'jwks.json')
    const replace = (text: string): void => {
      writeFileSync(`${file}.new`, text)
      renameSync(`${file}.new`, file)
    }
    replace(JSON.stringify(issuer.jwks()))
    await using server = await startIdentifyServer({ issuers: [{ ...issuer.config, jwks: { file } }], clock })
    const old = fresh()
    expect(await present(server, old)).toMatchObject({ status: 200 })
    expect(issuer.fetches()).toBe(0)

    replace('{"keys":')
    await vi.waitFor(() => expect(server.events).toContain('keysFailed'), { timeout: 8000 })
    expect(await present(server, fresh())).toMatchObject({ status: 200 })

    issuer.rotate('drop')
    replace(JSON.stringify(issuer.jwks()))
    await vi.waitFor(() => expect(server.events).toContain('keysLoaded, one lost'), { timeout: 8000 })
    expect(await present(server, fresh())).toMatchObject({ status: 200 })
    expect(await present(server, old)).toMatchObject({ code: 'identity.token_invalid' })
  })
})

describe('a token that was verified before', () => {
  test('is answered without a promise', async () => {
    await using server = await start()
    const token = fresh()
    await present(server, token)
    const digest = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(token))).toString(
      'base64url',
    )
    expect(server.identity.tokens.verify(token, digest)).toMatchObject({ ok: true })
  })

  test('expires all the same', async () => {
    await using server = await start()
    const token = issuer.token({ jkt: key.jkt, nowMs, lifetimeMs: 60_000 })
    expect(await present(server, token)).toMatchObject({ status: 200 })
    nowMs += 66_000
    expect(await present(server, token)).toMatchObject({ status: 401, code: 'identity.token_expired' })
  })
})
