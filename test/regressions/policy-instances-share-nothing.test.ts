// An instance is not re-entrant and keeps what an evaluation leaves in its memory. Instances are copies of one memory:
// what one of them goes through must not reach another, nor what they are copied from.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { ENTRYPOINT } from '../../gateway/policy/bundles/bundle.ts'
import { createInstance } from '../../gateway/policy/evaluation/instance.ts'
import { loadAside } from '../../gateway/policy/evaluation/load-aside.ts'
import { onlyPart } from '../harness/only-part.ts'
import { compileRules, FRIEND, FRIEND_RULES, friendWithBody } from '../harness/opa.ts'

const RULES = `${FRIEND_RULES}
allow := false if input.params.body.conflict
allow := false if data.registry.enemies[input.agent.id]
`

test('an instance that was ruined leaves the others as they were', async () => {
  const bytes = await compileRules(RULES, { data: { enemies: { foe: true } } })
  const { compiled } = await loadAside({ parts: [onlyPart(bytes)], memoryLimitPages: 2048 })
  const { memory } = compiled.snapshot
  const before = createHash('sha256').update(memory).digest('hex')
  const id = compiled.entrypoints.get(ENTRYPOINT) ?? -1
  const input = JSON.stringify(FRIEND)
  const ruined = createInstance(compiled)
  const sound = createInstance(compiled)
  const decision = sound.evaluate(id, input, 100_000)

  const conflicting = JSON.stringify(friendWithBody({ conflict: true }))
  for (let count = 0; count < 1200; count += 1) {
    expect(() => ruined.evaluate(id, conflicting, 100_000)).toThrow(/conflict|memory access/)
  }
  expect(() => ruined.evaluate(id, input, 100_000)).toThrow(/memory access out of bounds/)

  expect(sound.evaluate(id, input, 100_000)).toBe(decision)
  expect(createInstance(compiled).evaluate(id, input, 100_000)).toBe(decision)
  expect(createHash('sha256').update(memory).digest('hex')).toBe(before)
})
