// A decision that is undefined comes back as an empty list, which a careless `results[0]?.result !== false` allows.
import { expect, test } from 'vitest'
import { bareSdk, compileRules, FRIEND, startPolicy } from '../harness/opa.ts'

const SOMETIMES = `
decision := {"allow": false, "risk": 0, "reasons": [], "obligations": []} if input.agent.id == ""
`

test('the bare SDK gives an empty list', async () => {
  const sdk = await bareSdk(await compileRules(SOMETIMES))
  expect(sdk.evaluate(FRIEND)).toEqual([])
})

test('the gateway refuses the call', async () => {
  await using running = await startPolicy(await compileRules(SOMETIMES))
  expect(running.policy.decide(FRIEND)).toMatchObject({ ok: false, refusal: { code: 'policy.invalid' } })
})
