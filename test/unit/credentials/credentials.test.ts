import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import type { CredentialConfig } from '../../../gateway/config/config.ts'
import { createCredentials } from '../../../gateway/credentials/credentials.ts'
import type { Credentials } from '../../../gateway/credentials/credentials.ts'
import type { UpstreamCredential } from '../../../gateway/credentials/credential.ts'

const CONTEXT = { connector: 'vendor', tenant: 't', agent: 'a', principal: 'p' }

function credentialsOf(credential: CredentialConfig, changes: string[] = []): Credentials {
  return createCredentials({
    connectors: { vendor: { credential } },
    environment: { SECRET: 'vendor-secret', EMPTY: '' },
    clock: { monotonicMs: () => 1_000 },
    events: {
      credentialChanged: (name, version, detail) => void changes.push(`${name} ${version} ${detail}`),
    },
    pollMs: 50,
  })
}

/** What a provider of values at hand answers, without a promise. */
function got(credentials: Credentials): UpstreamCredential {
  const verdict = credentials.get(CONTEXT)
  if (verdict instanceof Promise || !verdict.ok) throw new Error('not at hand')
  return verdict.value
}

const SECRET = { source: 'env', name: 'SECRET' } as const

it.each<[CredentialConfig, string[]]>([
  [{ type: 'none' }, []],
  [{ type: 'bearer', token: SECRET }, ['authorization', 'Bearer vendor-secret']],
  [
    { type: 'basic', username: 'bot@zyx.example', password: SECRET },
    ['authorization', `Basic ${Buffer.from('bot@zyx.example:vendor-secret').toString('base64')}`],
  ],
  [{ type: 'header', name: 'X-Api-Key', value: SECRET }, ['x-api-key', 'vendor-secret']],
])('puts %j into a request', (config, added) => {
  using credentials = credentialsOf(config)
  const headers = ['accept', '*/*']
  got(credentials).apply(headers)
  expect(headers).toEqual(['accept', '*/*', ...added])
})

it('takes the place of a header of the same name, in whatever case and however often', () => {
  using credentials = credentialsOf({ type: 'header', name: 'X-Api-Key', value: SECRET })
  const headers = ['X-API-Key', 'callers', 'accept', '*/*', 'x-api-key', 'callers too']
  got(credentials).apply(headers)
  expect(headers).toEqual(['accept', '*/*', 'x-api-key', 'vendor-secret'])
})

it.each<[string, CredentialConfig]>([
  ['an empty secret', { type: 'bearer', token: { source: 'env', name: 'EMPTY' } }],
  ['no secret', { type: 'bearer', token: { source: 'env', name: 'NONE' } }],
  ['no file', { type: 'bearer', token: { source: 'file', name: '/nowhere/token' } }],
])('is unavailable with %s', async (_what, config) => {
  using credentials = credentialsOf(config)
  expect(await credentials.get(CONTEXT)).toMatchObject({
    ok: false,
    refusal: { code: 'credential.unavailable' },
  })
  expect(credentials.health()).toEqual([{ connector: 'vendor', available: false, version: '', ageMs: 0 }])
})

it('is unavailable for a connector that is not configured', async () => {
  using credentials = credentialsOf({ type: 'none' })
  expect(await credentials.get({ ...CONTEXT, connector: 'constructor' })).toMatchObject({ ok: false })
})

it('takes a rotated secret up for the next call and reports it by version only', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'toolgate-credential-'))
  const path = join(folder, 'token')
  writeFileSync(path, 'blue-secret\n')
  const changes: string[] = []
  using credentials = credentialsOf({ type: 'bearer', token: { source: 'file', name: path } }, changes)
  const blue = got(credentials)
  writeFileSync(path, 'green-secret\n')
  await expect.poll(() => changes.length).toBe(1)
  const headers: string[] = []
  got(credentials).apply(headers)
  expect(headers).toEqual(['authorization', 'Bearer green-secret'])
  expect(got(credentials).version).not.toBe(blue.version)
  expect(changes).toEqual([`vendor ${got(credentials).version} `])
  // A call that was sealed just before may still be in a log line.
  expect(credentials.redactExact('blue-secret green-secret')).toBe('[redacted] [redacted]')
  rmSync(folder, { recursive: true })
})

it('shows no secret when it is printed', () => {
  using credentials = credentialsOf({ type: 'basic', username: 'bot', password: SECRET })
  const printed = inspect([credentials, got(credentials), credentials.health()], {
    depth: 9,
    showHidden: true,
  })
  expect(printed).not.toMatch(/vendor-secret|dmVuZG9yLXNlY3JldA/)
})

it('refuses a user name that would shift the password', () => {
  expect(() => credentialsOf({ type: 'basic', username: 'a:b', password: SECRET })).toThrow('colon')
})
