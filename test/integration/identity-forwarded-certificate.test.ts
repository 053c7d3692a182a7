import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ForwardedCertificateConfig } from '../../gateway/config/config.ts'
import type { RefusalCode } from '../../gateway/refusal.ts'
import { startIdentifyServer } from '../harness/identify-server.ts'
import type { Answer, IdentifyServer } from '../harness/identify-server.ts'
import { startIssuer } from '../harness/issuer.ts'
import type { Issuer } from '../harness/issuer.ts'
import { createPki } from '../harness/pki.ts'
import type { Certified, Pki } from '../harness/pki.ts'

const MESH = 'spiffe://zyx.example/mesh/envoy'
const GATEWAY = 'spiffe://zyx.example/gateway'
const AGENT = 'spiffe://zyx.example/agent/reviewer'

let issuer: Issuer
let pki: Pki
let envoy: Certified
let agent: Certified
let stranger: Certified

beforeAll(async () => {
  issuer = await startIssuer()
  pki = createPki()
  envoy = pki.client({ uris: [MESH] })
  agent = pki.client({ uris: [AGENT] })
  stranger = pki.client({ uris: ['spiffe://zyx.example/agent/other'] })
})
afterAll(async () => {
  await pki[Symbol.asyncDispose]()
  await issuer[Symbol.asyncDispose]()
})

function start(more: Partial<ForwardedCertificateConfig> | 'off' = {}): Promise<IdentifyServer> {
  const forwardedCertificate: ForwardedCertificateConfig | undefined =
    more === 'off'
      ? undefined
      : { header: 'x-forwarded-client-cert', trustedPeers: [MESH], by: undefined, ...more }
  return startIdentifyServer({ issuers: [issuer.config], pki, identity: { forwardedCertificate } })
}

function call(
  server: IdentifyServer,
  client: Certified | undefined,
  headers: readonly string[],
): Promise<Answer> {
  const token = issuer.token({ x5t: agent.x5t })
  return server.send({ path: '/', client, headers: ['Authorization', `Bearer ${token}`, ...headers] })
}

const hex = (one: Certified): string => createHash('sha256').update(one.der).digest('hex')
const xfcc = (): string => `By=${GATEWAY};Hash=${hex(agent)};Subject="CN=client,O=\\"ZYX\\"";URI=${AGENT}`
const encoded = (one: Certified): string => encodeURIComponent(one.cert)

describe('X-Forwarded-Client-Cert from the trusted proxy', () => {
  test('names the caller by the hash of its certificate', async () => {
    await using server = await start()
    const answer = await call(server, envoy, ['X-Forwarded-Client-Cert', xfcc()])
    expect(answer).toMatchObject({ status: 200, caller: { agent: { binding: 'mtls', key: agent.x5t } } })
  })

  test('is trusted by the fingerprint of the proxy as well', async () => {
    await using server = await start({ trustedPeers: [envoy.x5t] })
    expect(await call(server, envoy, ['x-forwarded-client-cert', xfcc()])).toMatchObject({ status: 200 })
  })

  test('may carry the certificate itself, which then has to have that hash', async () => {
    await using server = await start()
    const good = `Hash=${hex(agent)};Cert="${encoded(agent)}"`
    expect(await call(server, envoy, ['x-forwarded-client-cert', good])).toMatchObject({ status: 200 })
    const mixed = `Hash=${hex(agent)};Cert="${encoded(stranger)}"`
    expect(await call(server, envoy, ['x-forwarded-client-cert', mixed])).toMatchObject({ status: 400 })
  })

  test('of several elements only the last counts, and only when it says By us', async () => {
    await using server = await start({ by: GATEWAY })
    const appended = `By=spiffe://zyx.example/edge;Hash=${hex(stranger)},${xfcc()}`
    expect(await call(server, envoy, ['x-forwarded-client-cert', appended])).toMatchObject({ status: 200 })
    const smuggled = `${xfcc()},By=spiffe://zyx.example/edge;Hash=${hex(stranger)}`
    expect(await call(server, envoy, ['x-forwarded-client-cert', smuggled])).toMatchObject({ status: 400 })
  })

  test('when absent, the proxy itself is nobody', async () => {
    await using server = await start()
    const token = issuer.token({ x5t: envoy.x5t })
    const answer = await server.send({ client: envoy, headers: ['Authorization', `Bearer ${token}`] })
    expect(answer).toMatchObject({ status: 401, code: 'identity.binding_mismatch' })
  })

  test('a caller beside the proxy is still known by its own certificate', async () => {
    await using server = await start()
    expect(await call(server, agent, [])).toMatchObject({ status: 200 })
  })
})

describe('Client-Cert from the trusted proxy (RFC 9440)', () => {
  const clientCert = (): string => `:${agent.der.toString('base64')}:`

  test('names the caller by its certificate, with or without the chain beside it', async () => {
    await using server = await start({ header: 'client-cert' })
    expect(await call(server, envoy, ['Client-Cert', clientCert()])).toMatchObject({ status: 200 })
    const chain = ['Client-Cert', clientCert(), 'Client-Cert-Chain', clientCert()]
    expect(await call(server, envoy, chain)).toMatchObject({ status: 200 })
  })

  test.each([
    ['without its colons', () => agent.der.toString('base64')],
    ['holding PEM', () => `:${Buffer.from(agent.cert).toString('base64')}:`],
    ['holding no certificate', () => ':AAAA:'],
    ['with parameters', () => `${clientCert()};verified=?1`],
  ])('%s is refused', async (_what, value) => {
    await using server = await start({ header: 'client-cert' })
    const answer = await call(server, envoy, ['Client-Cert', value()])
    expect(answer).toMatchObject({ status: 400, code: 'identity.forwarded_certificate_untrusted' })
  })
})

describe('a forwarded certificate is refused', () => {
  const refusal = { status: 400, code: 'identity.forwarded_certificate_untrusted' } as const

  test.each<[what: string, who: () => Certified | undefined, headers: () => string[], code?: RefusalCode]>([
    ['from a peer without a certificate', () => undefined, () => ['x-forwarded-client-cert', xfcc()]],
    ['from an authenticated peer that may not', () => stranger, () => ['x-forwarded-client-cert', xfcc()]],
    ['from the agent it names', () => agent, () => ['x-forwarded-client-cert', xfcc()]],
    [
      'in a second header line',
      () => envoy,
      () => ['x-forwarded-client-cert', xfcc(), 'X-Forwarded-Client-Cert', xfcc()],
    ],
    ['under an underscore', () => envoy, () => ['x_forwarded_client_cert', xfcc()], 'request.ambiguous'],
    [
      'under an underscore beside the right one',
      () => envoy,
      () => ['x-forwarded-client-cert', xfcc(), 'x-forwarded_client-cert', xfcc()],
      'request.ambiguous',
    ],
    [
      'in the header that is not configured',
      () => envoy,
      () => ['client-cert', `:${agent.der.toString('base64')}:`],
    ],
    [
      'in both headers',
      () => envoy,
      () => ['x-forwarded-client-cert', xfcc(), 'client-cert', `:${agent.der.toString('base64')}:`],
    ],
    [
      'when Connection names the header',
      () => envoy,
      () => ['x-forwarded-client-cert', xfcc(), 'Connection', 'close, X-Forwarded-Client-Cert'],
      'request.ambiguous',
    ],
    [
      'with two hashes',
      () => envoy,
      () => ['x-forwarded-client-cert', `Hash=${hex(stranger)};Hash=${hex(agent)}`],
    ],
    ['without a hash', () => envoy, () => ['x-forwarded-client-cert', `URI=${AGENT}`]],
    [
      'with two elements and no By configured',
      () => envoy,
      () => ['x-forwarded-client-cert', `${xfcc()},${xfcc()}`],
    ],
    ['with an unclosed quote', () => envoy, () => ['x-forwarded-client-cert', `${xfcc()};Subject="CN=a`]],
    ['with an unknown key', () => envoy, () => ['x-forwarded-client-cert', `${xfcc()};Role=admin`]],
    ['when empty', () => envoy, () => ['x-forwarded-client-cert', '']],
  ])('%s', async (_what, who, headers, code: RefusalCode = refusal.code) => {
    await using server = await start()
    expect(await call(server, who(), headers())).toMatchObject({ ...refusal, code })
  })

  test('from anyone, where forwarding is off', async () => {
    await using server = await start('off')
    expect(await call(server, envoy, ['x-forwarded-client-cert', xfcc()])).toMatchObject(refusal)
  })

  test('with no challenge: it is the hop that is wrong, not the token', async () => {
    await using server = await start('off')
    expect((await call(server, envoy, ['client-cert', ':AAAA:'])).challenges).toEqual([])
  })
})
