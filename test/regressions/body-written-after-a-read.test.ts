/**
 * An agent that may post until it has read personal data began to post, read, and only then wrote the body: history was
 * looked at when the header section of the post came.
 */
import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { paymentsConnectors } from '../harness/payments-connector.ts'
import { startRedis } from '../harness/redis.ts'
import { startUpstream, type Upstream } from '../harness/upstream.ts'

const RULES = `
decision := {"allow": count(reasons) == 0, "risk": 0, "reasons": reasons, "obligations": []}
reasons contains {"code": "agent.unknown", "rule": "R001", "detail": ""} if input.agent.id == ""
reasons contains {"code": "write.not_allowed", "rule": "R050", "detail": ""} if {
  input.operation.access == "write"
  "payments.getCustomer" in input.history.operations_1h
}
`
const BODY = '{"amount":5}'
const POST = '/payments/v1/charges'

describe.each(['the embedded store', 'Redis'])('a body written after a read, with %s', (store) => {
  let toolgate: TestGateway
  let upstream: Upstream
  const stack = new AsyncDisposableStack()
  beforeAll(async () => {
    const redis = store === 'Redis' ? stack.use(await startRedis()) : undefined
    upstream = stack.use(
      await startUpstream((_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"iban":"secret"}')
      }),
    )
    const connectors = stack.use(await paymentsConnectors())
    toolgate = stack.use(
      await startTestGateway({
        bundle: await compileRules(RULES),
        connectorsDirectory: connectors.path,
        ...(redis && { redisUrl: redis.url }),
        settings: {
          connectors: {
            payments: {
              origin: upstream.origin,
              credential: { type: 'bearer', token: 'env:PAYMENTS' },
              allowAddresses: ['127.0.0.0/8'],
            },
          },
        },
        environment: { PAYMENTS: 'upstream-secret-payments' },
      }),
    )
  })
  afterAll(() => stack.disposeAsync())

  it('is seen by policy together with the read, and is not sent', async () => {
    const token = toolgate.token()
    const post = request(toolgate.origin + POST, {
      method: 'POST',
      headers: {
        authorization: `DPoP ${token}`,
        dpop: toolgate.proof('POST', POST, { token }),
        'content-type': 'application/json',
        'content-length': String(BODY.length),
        expect: '100-continue',
      },
    })
    post.flushHeaders()
    // The gateway asks for the body once the call is admitted.
    await once(post, 'continue')
    expect((await toolgate.send('GET', '/payments/v1/customers/c1')).status).toBe(200)
    post.end(BODY)
    const [response] = (await once(post, 'response')) as [{ statusCode: number; resume(): void }]
    response.resume()
    expect(response.statusCode).toBe(403)
    expect(upstream.requests.map(({ method }) => method)).toEqual(['GET'])
  })
})
