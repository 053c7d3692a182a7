// Sets come out of the module in the order of their hashes: a record, a reply or a digest made from them has no order
// that anybody could rely on.
import { expect, test } from 'vitest'
import { bareSdk, compileRules, decideNow, FRIEND, startPolicy } from '../harness/opa.ts'

const RULES = Array.from({ length: 20 }, (_, at) => `R${String(at).padStart(3, '0')}`)
const MANY = `
decision := {"allow": false, "risk": 0, "reasons": reasons, "obligations": []}
${RULES.map((rule) => `reasons contains {"code": "agent.unknown", "rule": "${rule}", "detail": "x"}`).join('\n')}
`

test('the bare SDK gives reasons in the order of their hashes', async () => {
  const sdk = await bareSdk(await compileRules(MANY))
  const { reasons } = sdk.evaluate(FRIEND)[0].result
  expect(reasons.map(({ rule }) => rule)).not.toEqual(RULES)
})

test('the gateway gives them in the order of their rules', async () => {
  await using running = await startPolicy(await compileRules(MANY))
  const verdict = decideNow(running.policy, FRIEND)
  expect(verdict.ok && verdict.value.reasons.map(({ rule }) => rule)).toEqual(RULES)
})
