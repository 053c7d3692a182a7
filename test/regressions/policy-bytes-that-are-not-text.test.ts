// A rule can make a text of bytes that are not UTF-8. The SDK puts replacement characters in their place, so that what
// is on record is not what the policy said.
import { expect, test } from 'vitest'
import { bareSdk, compileRules, FRIEND, startPolicy } from '../harness/opa.ts'

const SAYS_BYTES = `
decision := {"allow": false, "risk": 0, "reasons": reasons, "obligations": []}
reasons contains {"code": "agent.unknown", "rule": "R001", "detail": detail}
default detail := "é"
detail := base64.decode("/w==") if input.agent.id == "friend"
`

test('the bare SDK replaces them', async () => {
  const sdk = await bareSdk(await compileRules(SAYS_BYTES))
  expect(sdk.evaluate(FRIEND)[0].result.reasons).toMatchObject([{ detail: '\ufffd' }])
})

test('the gateway takes it for no decision', async () => {
  await using running = await startPolicy(await compileRules(SAYS_BYTES))
  expect(running.policy.decide(FRIEND)).toMatchObject({ ok: false, refusal: { code: 'policy.invalid' } })
  const other = { ...FRIEND, agent: { ...FRIEND.agent, id: 'other' } }
  expect(running.policy.decide(other)).toMatchObject({ ok: true, value: { reasons: [{ detail: 'é' }] } })
})
