// JSON nested some thousand levels deep overflows the stack of the evaluation, or of JSON.stringify before it.
import { beforeAll, describe, expect, test } from 'vitest'
import { bareSdk, compileRules, FRIEND, FRIEND_RULES, friendWithBody, startPolicy } from '../harness/opa.ts'

function nested(depth: number): Record<string, unknown> {
  let body: Record<string, unknown> = {}
  for (let level = 1; level < depth; level += 1) body = { body }
  return body
}

describe('a deeply nested body', () => {
  let bundle: Buffer
  beforeAll(async () => {
    bundle = await compileRules(FRIEND_RULES)
  })

  test('overflows the bare SDK', async () => {
    const sdk = await bareSdk(bundle)
    expect(() => sdk.evaluate(friendWithBody(nested(20_000)))).toThrow(RangeError)
  })

  test('is refused without costing an instance', async () => {
    await using running = await startPolicy(bundle)
    for (const depth of [65, 1000, 20_000]) {
      const verdict = running.policy.decide(friendWithBody(nested(depth)))
      expect(verdict).toMatchObject({ ok: false, refusal: { code: 'policy.input_invalid' } })
    }
    expect(running.policy.status().instancesFailed).toBe(0)
  })

  test('is decided up to the bound', async () => {
    await using running = await startPolicy(bundle)
    expect(running.policy.decide(friendWithBody(nested(64)))).toMatchObject({
      ok: true,
      value: { allow: true },
    })
  })

  test('is refused in the query, too', async () => {
    await using running = await startPolicy(bundle)
    const verdict = running.policy.decide({ ...FRIEND, params: { ...FRIEND.params, query: nested(20_000) } })
    expect(verdict).toMatchObject({ ok: false, refusal: { code: 'policy.input_invalid' } })
  })

  test('is refused in authorization details, too', async () => {
    await using running = await startPolicy(bundle)
    const verdict = running.policy.decide({ ...FRIEND, authorization_details: [nested(20_000)] })
    expect(verdict).toMatchObject({ ok: false, refusal: { code: 'policy.input_invalid' } })
  })
})
