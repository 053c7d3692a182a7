// What an evaluation throws is a text, an error of the engine, or one of its memory: whoever looks for an `Error` alone
// misses some, and a log line made of it says nothing.
import { expect, test } from 'vitest'
import type { BareSdk } from '../harness/opa.ts'
import { bareSdk, compileRules, FRIEND_RULES, friendWithBody, startPolicy } from '../harness/opa.ts'

const RULES = `${FRIEND_RULES}
allow := false if input.params.body.conflict
reasons contains {"code": "agent.unknown", "rule": "R002", "detail": ""} if count(hoard) < 0
hoard := [[x, y] |
	some x in numbers.range(1, object.get(input.params.body, "wish", 1))
	some y in numbers.range(1, object.get(input.params.body, "wish", 1))
]
`

const HARMFUL = [
  ['a conflict of rules', { conflict: true }],
  ['more memory than there may be', { wish: 600 }],
] as const

function thrownBy(sdk: BareSdk, body: Readonly<Record<string, unknown>>): unknown {
  try {
    return sdk.evaluate(friendWithBody(body))
  } catch (thrown) {
    return thrown
  }
}

test('the bare SDK throws what is no error', async () => {
  const sdk = await bareSdk(await compileRules(RULES), 16, 128)
  expect(thrownBy(sdk, { conflict: true })).toEqual(expect.stringContaining('conflict'))
})

test.each(HARMFUL)('the gateway refuses the call for %s, with an error that says so', async (_, body) => {
  await using running = await startPolicy(await compileRules(RULES), { memoryLimitPages: 128 })
  const { policy, events } = running
  expect(policy.decide(friendWithBody(body))).toMatchObject({
    ok: false,
    refusal: { code: 'policy.error', cause: expect.any(Error) },
  })
  expect(events.at(-1)).toMatchObject({
    type: 'instance_failed',
    cause: expect.objectContaining({ message: expect.stringMatching(/conflict|malloc|memory/) }),
  })
  expect(policy.decide(friendWithBody({}))).toMatchObject({ ok: true, value: { allow: true } })
})
