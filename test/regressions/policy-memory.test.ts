// The SDK gives every policy five pages to start with, too few for a large one; and memory that an evaluation has
// taken is never given back.
import { expect, test } from 'vitest'
import { bareSdk, compileRules, FRIEND, FRIEND_RULES, friendWithBody, startPolicy } from '../harness/opa.ts'

const MANY_TEXTS = Array.from(
  { length: 400 },
  (_, at) => `allow if input.agent.id == "${`${at} `.repeat(1500)}"`,
)

test('a policy with a large data segment does not load into the bare SDK, but into the gateway', async () => {
  const bundle = await compileRules(`${FRIEND_RULES}\n${MANY_TEXTS.join('\n')}`)
  await expect(bareSdk(bundle)).rejects.toThrow(/memory import/)
  await using running = await startPolicy(bundle)
  expect(running.policy.decide(FRIEND)).toMatchObject({ ok: true, value: { allow: true } })
})

// A list for each number up to the square of what the body asks for.
const GREEDY = `${FRIEND_RULES}
reasons contains {"code": "agent.unknown", "rule": "R002", "detail": ""} if count(hoard) < 0
hoard := [[x, y] |
	some x in numbers.range(1, input.params.body.wish)
	some y in numbers.range(1, input.params.body.wish)
]
`

test('the bare SDK keeps what a hungry call took', async () => {
  const sdk = await bareSdk(await compileRules(GREEDY), 32)
  sdk.evaluate(friendWithBody({ wish: 400 }))
  const taken = sdk.mem.buffer.byteLength
  sdk.evaluate(friendWithBody({ wish: 1 }))
  expect(taken).toBeGreaterThan(16 * 1024 * 1024)
  expect(sdk.mem.buffer.byteLength).toBe(taken)
})

test('the gateway replaces an instance that has grown past its watermark', async () => {
  await using running = await startPolicy(await compileRules(GREEDY))
  const { policy, events } = running
  const before = policy.status().memoryPages
  expect(policy.decide(friendWithBody({ wish: 400 }))).toMatchObject({ ok: true, value: { allow: true } })
  expect(policy.status()).toMatchObject({ memoryPages: before, instancesRecycled: 1, instancesFailed: 0 })
  expect(events.at(-1)).toMatchObject({ type: 'instance_recycled' })
  expect(policy.decide(FRIEND)).toMatchObject({ ok: true })
})

test('the gateway refuses a call that needs more memory than is allowed, and goes on', async () => {
  await using running = await startPolicy(await compileRules(GREEDY), { memoryLimitPages: 128 })
  const { policy } = running
  for (let count = 0; count < 5; count += 1) {
    expect(policy.decide(friendWithBody({ wish: 400 }))).toMatchObject({ refusal: { code: 'policy.error' } })
  }
  expect(policy.decide(friendWithBody({ wish: 1 }))).toMatchObject({ ok: true, value: { allow: true } })
})

test('a policy that cannot fit its data into the memory allowed is not activated', async () => {
  const data = {
    friends: Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`friend-${at}`, true])),
  }
  const bundle = await compileRules(`${FRIEND_RULES}\nallow if data.registry.friends[input.agent.id]`, {
    data,
  })
  await expect(startPolicy(bundle, { memoryLimitPages: 32 })).rejects.toMatchObject({ problem: 'data' })
})
