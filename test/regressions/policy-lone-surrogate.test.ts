// A lone surrogate in any text aborts the evaluation, which costs the instance; 1,024 of them kill it.
import { beforeAll, describe, expect, test } from 'vitest'
import { bareSdk, compileRules, FRIEND, FRIEND_RULES, friendWithBody, startPolicy } from '../harness/opa.ts'

describe('a text that is not well-formed', () => {
  let bundle: Buffer
  beforeAll(async () => {
    bundle = await compileRules(FRIEND_RULES)
  })

  test('aborts the bare SDK', async () => {
    const sdk = await bareSdk(bundle)
    expect(() => sdk.evaluate(friendWithBody({ text: '\ud800' }))).toThrow(/illegal/)
  })

  test.each([
    ['a high surrogate', { text: '\ud800' }],
    ['a low surrogate', { text: 'x\udfffx' }],
    ['one after backslashes', { text: '\\\\\ud83d' }],
    ['one in a name', { '\ud83d': 1 }],
    ['one deep inside', { list: [{ text: ['\udead'] }] }],
  ])('is refused without costing an instance: %s', async (_, body) => {
    await using running = await startPolicy(bundle)
    const verdict = running.policy.decide(friendWithBody(body))
    expect(verdict).toMatchObject({ ok: false, refusal: { code: 'policy.input_invalid' } })
    expect(running.policy.status().instancesFailed).toBe(0)
  })

  test.each([
    ['a pair', { text: '😀' }],
    ['an escape that the caller spelled out', { text: '\\ud800' }],
    ['one more backslash', { text: '\\\\ud800' }],
  ])('is not %s', async (_, body) => {
    await using running = await startPolicy(bundle)
    expect(running.policy.decide(friendWithBody(body))).toMatchObject({ ok: true, value: { allow: true } })
  })

  test('is refused in what the agent declares, too', async () => {
    await using running = await startPolicy(bundle)
    const verdict = running.policy.decide({
      ...FRIEND,
      declared: { ...FRIEND.declared, rationale: '\udc00' },
    })
    expect(verdict).toMatchObject({ ok: false, refusal: { code: 'policy.input_invalid' } })
  })
})
