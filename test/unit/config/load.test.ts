import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ConfigFolder, configFolder, MINIMAL } from './minimal-config.ts'

let place: ConfigFolder
let folder: ConfigFolder['folder']
let load: ConfigFolder['load']
let problemsOf: ConfigFolder['problemsOf']
beforeAll(() => {
  place = configFolder()
  ;({ folder, load, problemsOf } = place)
})
afterAll(() => place[Symbol.dispose]())

describe('a configuration', () => {
  it('needs only issuers and connectors; everything else has a default', () => {
    const config = load(MINIMAL)
    expect(config.listen).toMatchObject({ host: '127.0.0.1', port: 8080, admin: { port: 9090 } })
    expect(config.store).toMatchObject({ kind: 'embedded', onFailure: { read: 'local', write: 'closed' } })
    expect(config.store.controlFile).toBe(join(folder, '.toolgate/control.db'))
    expect(config.identity.dpop).toMatchObject({ maxAgeMs: 60_000, maxSkewMs: 10_000, nonce: 'off' })
    expect(config.audit.durability).toEqual({ read: 'flushed', write: 'strict' })
    expect(config.identity.dangerouslyAllowUnboundTokens).toBe(false)
  })

  it('cannot be changed once loaded', () => {
    const config = load(MINIMAL)
    expect(() => Object.assign(config.listen, { port: 1 })).toThrow(TypeError)
  })

  it('resolves relative files against its own folder', () => {
    expect(load(MINIMAL).policy.bundle).toBe(join(folder, 'bundle.tar.gz'))
  })

  it('names secrets by reference and never holds one', () => {
    const config = load(MINIMAL.replace('type: none', 'type: bearer, token: env:GITHUB_TOKEN'), {
      GITHUB_TOKEN: 'hunter2',
    })
    expect(config.connectors['github']?.credential).toEqual({
      type: 'bearer',
      token: { source: 'env', name: 'GITHUB_TOKEN' },
    })
    expect(JSON.stringify(config)).not.toContain('hunter2')
  })
})

describe('an override', () => {
  it('reaches a setting whatever its case and underscores', () => {
    const config = load(MINIMAL, { TOOLGATE__LISTEN__EXTERNAL_ORIGINS: '["https://gateway.example"]' })
    expect(config.listen.externalOrigins).toEqual(['https://gateway.example'])
  })

  it('reaches a setting of one connector', () => {
    const config = load(MINIMAL, { TOOLGATE__CONNECTORS__GITHUB__REPLY_TIMEOUT_MS: '1234' })
    expect(config.connectors['github']?.replyTimeoutMs).toBe(1234)
  })

  it('keeps text that looks like a number as text where text is asked for', () => {
    expect(load(MINIMAL, { TOOLGATE__TELEMETRY__LOG_DESTINATION: '0123' }).telemetry.logDestination).toBe(
      '0123',
    )
  })

  it.each(['TOOLGATE__LISTEN__PROT', 'TOOLGATE__', 'TOOLGATE__LISTEN__PORT__DEEPER'])(
    '%s, which names nothing, is a mistake',
    (name) => {
      expect(problemsOf(MINIMAL, { [name]: '1' })).toContainEqual(expect.objectContaining({ path: name }))
    },
  )

  it.each([
    'TOOLGATE____PROTO____POLLUTED',
    'TOOLGATE__CONNECTORS____PROTO____CREDENTIAL',
    'TOOLGATE__CONSTRUCTOR__NAME',
  ])('%s does not reach the prototype of anything', (name) => {
    expect(problemsOf(MINIMAL, { [name]: 'polluted' }).length).toBeGreaterThan(0)
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })
})

describe('mistakes', () => {
  it('are all listed at once, each with its path', () => {
    const text = `
listen: { port: 99999, colour: blue }
workers: 0
identity:
  issuers:
    - issuer: not-a-uri
      audiences: []
      jwks: {}
connectors:
  github:
    origin: ftp://api.github.com
    credential: { type: bearer }
  Jira:
    credential: { type: none }
store: { kind: redis }
`
    const paths = problemsOf(text).map(({ path }) => path)
    expect(paths).toEqual(
      expect.arrayContaining([
        'listen',
        'listen.port',
        'workers',
        'identity.issuers.0.issuer',
        'identity.issuers.0.audiences',
        'identity.issuers.0.jwks',
        'connectors.github.origin',
        'connectors.github.credential.token',
        'connectors',
      ]),
    )
  })

  it('of shape in one section do not hide contradictions in another', () => {
    const paths = problemsOf(`${MINIMAL}\nlisten: { port: nine }\nstore: { kind: redis }`).map(
      ({ path }) => path,
    )
    expect(paths).toEqual(expect.arrayContaining(['listen.port', 'store.redis']))
  })

  it.each([
    ['a key given twice', 'workers: 1\nworkers: 2', 'toolgate.yaml'],
    [
      'a secret written in place',
      'telemetry: {}\nstore: { kind: redis, redis: { url: "redis://h:1", password: hunter2 } }',
      'store.redis.password',
    ],
    [
      'a password inside the Redis address',
      'store: { kind: redis, redis: { url: "redis://:pw@h:1" } }',
      'store.redis.url',
    ],
    ['an open admin listener without a token', 'listen: { admin: { host: 0.0.0.0 } }', 'listen.admin.token'],
    ['one port for calls and operators', 'listen: { port: 9090 }', 'listen.admin.port'],
    [
      'client certificates without a CA',
      'listen: { tls: { certificateFile: bundle.tar.gz, keyFile: bundle.tar.gz, clientCertificate: require } }',
      'listen.tls.clientCaFile',
    ],
    ['several workers that count each for itself', 'workers: 2', 'store.kind'],
    [
      'a listener for others without the origin they use',
      'listen: { host: 0.0.0.0 }',
      'listen.externalOrigins',
    ],
    [
      'a limit named twice',
      'limits: { rates: [{ name: a, by: [agent], calls: 1, windowMs: 1, burst: 1 }], quotas: [{ name: a, by: [agent], calls: 1 }] }',
      'limits.quotas.0.name',
    ],
  ])('%s is refused', (_what, text, path) => {
    expect(problemsOf(`${MINIMAL}\n${text}\n`).map((problem) => problem.path)).toContain(path)
  })

  it.each([
    ['type: basic, username: "a:b", password: env:P', 'connectors.github.credential.username'],
    ['type: header, name: Content-Length, value: env:P', 'connectors.github.credential.name'],
    ['type: header, name: transfer-encoding, value: env:P', 'connectors.github.credential.name'],
    ['type: header, name: Host, value: env:P', 'connectors.github.credential.name'],
    ['type: header, name: x y, value: env:P', 'connectors.github.credential.name'],
  ])('in a credential that no request could carry are refused: %s', (credential, path) => {
    const problems = problemsOf(MINIMAL.replace('type: none', credential), { P: 'secret' })
    expect(problems.map((problem) => problem.path)).toEqual([path])
  })

  it('never repeat the secret that was written in the wrong place', () => {
    const problems = problemsOf(MINIMAL.replace('type: none', 'type: bearer, token: hunter2'))
    expect(JSON.stringify(problems)).not.toContain('hunter2')
  })

  it('of keys over plain http off loopback are refused', () => {
    const text = MINIMAL.replace('uri: https://issuer.example/jwks', 'uri: http://issuer.example/jwks')
    expect(problemsOf(text).map(({ path }) => path)).toEqual(['identity.issuers.0.jwks.uri'])
  })

  it.each([
    ['a port', 'address: { port: 9443 }', 'connectors.github.address'],
    ['a host', 'address: { hosts: [github.gw.example] }', 'connectors.github.address'],
    [
      'a prefix beside a host that has the only',
      'address: { hosts: [gw.example] }',
      'connectors.jira.address',
    ],
  ])('in %s that no external origin is for are refused', (_what, address, path) => {
    const connectors = `jira:\n    credential: { type: none }\n  github:\n    ${address}`
    const text = `${MINIMAL.replace('github:', connectors)}\nlisten: { externalOrigins: ["https://gw.example"] }`
    expect(problemsOf(text).map((problem) => problem.path)).toContain(path)
  })

  it('in addresses that two connectors claim are refused', () => {
    const text = MINIMAL.replace(
      'github:',
      'jira:\n    credential: { type: none }\n    address: { prefix: /github }\n  github:',
    )
    expect(problemsOf(text)[0]?.reason).toContain('prefix /github')
  })
})
