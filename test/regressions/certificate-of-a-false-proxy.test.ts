import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { type Certified, type CertificateOptions, createPki, type Pki } from '../harness/pki.ts'

/**
 * The listener read certificates on its own, without the rules for X509-SVIDs: any certificate that had the proxy's
 * SPIFFE ID somewhere among its names could vouch for every agent.
 */
const MESH = 'spiffe://zyx.example/ns/mesh/sa/ingress'
const AGENT = 'spiffe://zyx.example/agent/change-review'

let pki: Pki
let toolgate: TestGateway
let agent: Certified
beforeAll(async () => {
  pki = createPki()
  agent = pki.client({ uris: [AGENT] })
  toolgate = await startTestGateway({
    pki,
    settings: {
      identity: { forwardedCertificate: { header: 'x-forwarded-client-cert', trustedPeers: [MESH] } },
    },
  })
})
afterAll(async () => {
  await toolgate[Symbol.asyncDispose]()
  await pki[Symbol.asyncDispose]()
})

function vouchedBy(client: Certified) {
  const digest = createHash('sha256').update(agent.der).digest('hex')
  return toolgate.send('GET', '/github/repos/zyx/platform-infra/pulls/991', {
    token: toolgate.token({ jkt: undefined, x5t: agent.x5t }),
    proof: null,
    headers: { 'x-forwarded-client-cert': `Hash=${digest};URI=${AGENT}` },
    client,
  })
}

describe('a certificate that names the proxy', () => {
  it.each<[what: string, options: CertificateOptions]>([
    ['beside another SPIFFE ID', { uris: ['spiffe://zyx.example/agent/other', MESH] }],
    ['beside another URI', { uris: ['https://zyx.example', MESH] }],
    ['and may sign certificates', { uris: [MESH], keyUsage: 'signs certificates' }],
    ['and is an authority', { uris: [MESH], ca: true, keyUsage: 'absent' }],
  ])('%s is not the proxy', async (_what, options) => {
    const answer = await vouchedBy(pki.client(options))
    expect(answer).toMatchObject({ status: 400, code: 'identity.forwarded_certificate_untrusted' })
  })

  it('alone is', async () => {
    expect((await vouchedBy(pki.client({ uris: [MESH] }))).status).toBe(200)
  })
})
