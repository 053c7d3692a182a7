// Anything thrown out of an evaluation leaks part of the module's stack, which is never restored: after some hundred
// throws every later call fails for good, and a client can bring that about.
import { beforeAll, describe, expect, test } from 'vitest'
import { bareSdk, compileRules, FRIEND, FRIEND_RULES, friendWithBody, startPolicy } from '../harness/opa.ts'

const THROWS = 600
const conflicting = friendWithBody({ conflict: true })

describe('a policy whose rules conflict on some input', () => {
  let bundle: Buffer
  beforeAll(async () => {
    bundle = await compileRules(`${FRIEND_RULES}
allow := false if input.params.body.conflict
`)
  })

  test('kills an instance of the bare SDK', async () => {
    const sdk = await bareSdk(bundle)
    expect(sdk.evaluate(FRIEND)[0].result.allow).toBe(true)
    for (let count = 0; count < THROWS; count += 1)
      expect(() => sdk.evaluate(conflicting)).toThrow(/conflict|memory access/)
    expect(() => sdk.evaluate(FRIEND)).toThrow(/memory access out of bounds/)
  })

  test('costs the gateway a refusal for that call alone, however often', async () => {
    await using running = await startPolicy(bundle)
    const { policy, events } = running
    for (let count = 0; count < THROWS; count += 1) {
      expect(policy.decide(conflicting)).toMatchObject({ ok: false, refusal: { code: 'policy.error' } })
    }
    expect(policy.decide(FRIEND)).toMatchObject({ ok: true, value: { allow: true } })
    expect(policy.status().instancesFailed).toBe(THROWS)
    expect(events.filter(({ type }) => type === 'instance_failed')).toHaveLength(THROWS)
  })
})
