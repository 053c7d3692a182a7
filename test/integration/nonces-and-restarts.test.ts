import { expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { virtualClock } from '../harness/virtual-clock.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'
const ORIGIN = 'http://gateway.test'
const PERIOD_MS = 60_000

/** Two of them are one gateway before and after a restart: same secret, same name, same issuer. */
function start(more: { before?: TestGateway; nowMs?: number } = {}): Promise<TestGateway> {
  const { issuer } = more.before ?? {}
  return startTestGateway({
    environment: { NONCE: 'a secret of the fleet with 32 bytes or more' },
    ...(issuer && {
      issuers: [
        {
          issuer: issuer.issuer,
          audiences: issuer.config.audiences,
          jwks: { uri: issuer.jwksUri },
          tenants: ['zyx-bank'],
        },
      ],
    }),
    ...(more.nowMs !== undefined && { clock: virtualClock(more.nowMs) }),
    settings: {
      listen: { externalOrigins: [ORIGIN] },
      identity: {
        dpop: { nonce: 'required', nonceSecret: 'env:NONCE', maxAgeMs: PERIOD_MS, maxSkewMs: 10_000 },
      },
    },
  })
}

async function proven(toolgate: TestGateway, token: string) {
  const proof = toolgate.proof('GET', PULL, { token, url: ORIGIN + PULL })
  const challenge = await toolgate.send('GET', PULL, { token, proof })
  expect(challenge.code).toBe('identity.nonce_required')
  const nonce = String(challenge.headers['dpop-nonce'])
  return toolgate.proof('GET', PULL, { token, url: ORIGIN + PULL, nonce })
}

it('a proof that was used is not taken after a restart that forgot it, though its nonce is as young as before', async () => {
  await using before = await start()
  const token = before.token()
  const proof = await proven(before, token)
  expect((await before.send('GET', PULL, { token, proof })).status).toBe(200)
  await using after = await start({ before })
  expect(await after.send('GET', PULL, { token, proof })).toMatchObject({
    status: 401,
    code: 'identity.nonce_required',
  })
})

it('the first nonce of a gateway is good however late in its period that started', async () => {
  const endOfPeriod = Math.ceil(Date.now() / PERIOD_MS) * PERIOD_MS - 2_000
  await using toolgate = await start({ nowMs: endOfPeriod })
  const token = toolgate.token()
  const proof = await proven(toolgate, token)
  expect((await toolgate.send('GET', PULL, { token, proof })).status).toBe(200)
})
