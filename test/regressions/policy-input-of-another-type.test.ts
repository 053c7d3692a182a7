// The SDK evaluates whatever it is given: bytes, JSON text, or nothing at all make it decide without input, so that
// a rule which allows unless something is wrong finds nothing wrong.
import { beforeAll, describe, expect, test } from 'vitest'
import type { PolicyInput } from '../../gateway/policy/input.ts'
import { bareSdk, compileRules, FRIEND, friendWithBody, startPolicy } from '../harness/opa.ts'

const ALLOWS_UNLESS = `
decision := {"allow": allow, "risk": 0, "reasons": [], "obligations": []}
default allow := true
allow := false if input.agent.id == "friend"
allow := false if input.agent.id == ""
`
const json = JSON.stringify(FRIEND)
const NOT_AN_INPUT: readonly (readonly [string, unknown])[] = [
  ['a Buffer', Buffer.from(json)],
  ['a Uint8Array', new TextEncoder().encode(json)],
  ['JSON text', json],
  ['malformed JSON in an ArrayBuffer', new TextEncoder().encode(`\ufeff${json}`).buffer],
  ['null', null],
  ['false', false],
  ['zero', 0],
  ['an empty text', ''],
  ['nothing', undefined],
]

describe('an input that is not one', () => {
  let bundle: Buffer
  beforeAll(async () => {
    bundle = await compileRules(ALLOWS_UNLESS)
  })

  test.each(NOT_AN_INPUT)('makes the bare SDK allow: %s', async (_, input) => {
    const sdk = await bareSdk(bundle)
    expect(sdk.evaluate(FRIEND)[0].result.allow).toBe(false)
    expect(sdk.evaluate(input)[0].result.allow).toBe(true)
  })

  test.each(NOT_AN_INPUT)('is never an allow: %s', async (_, input) => {
    await using running = await startPolicy(bundle)
    const verdict = running.policy.decide(input as PolicyInput)
    expect(verdict).toMatchObject({ ok: false, refusal: { code: 'policy.error' } })
  })

  test.each([
    ['a number that JSON cannot write', { amount: JSON.parse('1e400') as number }],
    ['bytes', { file: Buffer.from('x') }],
    ['a map', { map: new Map([['a', 1]]) }],
    ['a date', { at: new Date(0) }],
    ['a function', { toJSON: () => ({}) }],
    ['a bigint', { amount: 1n }],
    ['more values than the bound', { list: Array.from({ length: 9000 }, () => 0) }],
    ['more bytes than the bound', { text: 'x'.repeat(200_000) }],
  ])('is refused inside the body: %s', async (_, body) => {
    await using running = await startPolicy(bundle)
    const verdict = running.policy.decide(friendWithBody(body))
    expect(verdict).toMatchObject({ ok: false, refusal: { code: 'policy.input_invalid' } })
    expect(running.policy.status().instancesFailed).toBe(0)
  })
})
