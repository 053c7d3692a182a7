import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { ALLOW_EVERYTHING } from '../harness/permissive-rules.ts'
import { type Certified, createPki, type Pki } from '../harness/pki.ts'
import type { Answer } from '../harness/send.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'
const MESH = 'spiffe://zyx.example/ns/mesh/sa/ingress'

let pki: Pki
let toolgate: TestGateway
let proxy: Certified
let agent: Certified
beforeAll(async () => {
  pki = createPki()
  proxy = pki.client({ uris: [MESH] })
  agent = pki.client({ uris: ['spiffe://zyx.example/agent/change-review'] })
  toolgate = await startTestGateway({
    pki,
    bundle: await compileRules(ALLOW_EVERYTHING),
    settings: {
      identity: { forwardedCertificate: { header: 'x-forwarded-client-cert', trustedPeers: [MESH] } },
    },
  })
})
afterAll(async () => {
  await toolgate[Symbol.asyncDispose]()
  await pki[Symbol.asyncDispose]()
})

/** As Envoy writes it: the hash of the certificate of the connection that came in. */
function forwarded({ der }: Certified): Readonly<Record<string, string>> {
  const digest = createHash('sha256').update(der).digest('hex')
  return {
    'x-forwarded-client-cert': `Hash=${digest};Subject="CN=agent";URI=spiffe://zyx.example/agent/change-review`,
  }
}

function call(client: Certified | undefined, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const token = toolgate.token({ jkt: undefined, x5t: agent.x5t })
  return toolgate.send('GET', PULL, { token, proof: null, headers, ...(client && { client }) })
}

describe('a token bound to a certificate', () => {
  it('is good when the proxy in front has seen that certificate', async () => {
    const answer = await call(proxy, forwarded(agent))
    expect(answer).toMatchObject({ status: 200, decision: 'allow' })
    expect(await toolgate.recordsOf(answer.callId)).toMatchObject([
      { type: 'decision', who: { binding: 'mtls', key: agent.x5t } },
      { type: 'outcome' },
    ])
  })

  it('carries nothing of the certificate to the upstream', () => {
    const names = toolgate.fakes.github.requests.at(-1)?.rawHeaders.map((each) => each.toLowerCase()) ?? []
    expect(names).not.toContain('x-forwarded-client-cert')
    expect(toolgate.fakes.github.requests.flatMap(({ leaks }) => leaks)).toEqual([])
  })

  it('is not good when the proxy has seen another, or none', async () => {
    expect(await call(proxy, forwarded(proxy))).toMatchObject({
      status: 401,
      code: 'identity.binding_mismatch',
    })
    expect(await call(proxy, {})).toMatchObject({ status: 401, code: 'identity.binding_mismatch' })
  })

  it('cannot be vouched for by the agent itself, by a stranger, or without TLS of its own', async () => {
    const stranger = pki.client({ uris: ['spiffe://zyx.example/ns/mesh/sa/other'] })
    for (const client of [agent, stranger, undefined]) {
      expect(await call(client, forwarded(agent))).toMatchObject({
        status: 400,
        code: 'identity.forwarded_certificate_untrusted',
      })
    }
  })

  it('is still good without the proxy, over the connection of the agent itself', async () => {
    expect(await call(agent, {})).toMatchObject({ status: 200, decision: 'allow' })
  })
})
