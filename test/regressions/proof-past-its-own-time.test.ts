// A proof may carry `exp` and `nbf` of its own. Both were checked for their type only, so that a proof which its
// signer had let lapse was taken within the window of `iat`, where jose would have refused it.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'
const HOUR_SECONDS = 3_600

let toolgate: TestGateway
beforeAll(async () => {
  toolgate = await startTestGateway()
})
afterAll(() => toolgate[Symbol.asyncDispose]())

const nowSeconds = (): number => Math.floor(Date.now() / 1000)

async function send(claims: Record<string, number>): Promise<{ status: number; code: string }> {
  const token = toolgate.token()
  const proof = toolgate.proof('GET', PULL, { token, claims })
  const { status, code } = await toolgate.send('GET', PULL, { token, proof })
  return { status, code }
}

it.each([
  ['that has lapsed', () => ({ exp: nowSeconds() - HOUR_SECONDS })],
  ['that lapsed at the beginning of time', () => ({ exp: 0 })],
  ['that is not good yet', () => ({ nbf: nowSeconds() + HOUR_SECONDS })],
])('a proof %s by its own word is refused', async (_what, claims) => {
  expect(await send(claims())).toEqual({ status: 401, code: 'identity.proof_invalid' })
})

it('a proof that is good by its own word is taken', async () => {
  const claims = { nbf: nowSeconds() - HOUR_SECONDS, exp: nowSeconds() + HOUR_SECONDS }
  expect(await send(claims)).toEqual({ status: 200, code: '' })
})
