// Replacing an instance copies its data. With much of it, whoever makes the policy throw would hold up every call for
// as long as that takes, so the next instance has to be there already; and while it is not, nobody is let through.
import { expect, test } from 'vitest'
import { createEvaluator } from '../../gateway/policy/evaluation/evaluator.ts'
import { loadAside } from '../../gateway/policy/evaluation/load-aside.ts'
import { onlyPart } from '../harness/only-part.ts'
import { compileRules, FRIEND, FRIEND_RULES, friendWithBody } from '../harness/opa.ts'
import { until } from '../harness/until.ts'

const data = { padding: Object.fromEntries(Array.from({ length: 60_000 }, (_, at) => [`agent-${at}`, true])) }
const rules = `${FRIEND_RULES}
allow := false if input.params.body.conflict
allow if data.registry.padding[input.agent.id]
`
const conflicting = friendWithBody({ conflict: true })

test('a throw costs that call alone; a second one, before the next instance is there, every call until it is', async () => {
  const bytes = await compileRules(rules, { data })
  const { compiled } = await loadAside({ parts: [onlyPart(bytes)], memoryLimitPages: 2048 })
  const policy = await createEvaluator(compiled)
  await until(() => policy.memoryPages() === 2 * compiled.snapshot.pages)

  expect(policy.decide(conflicting)).toMatchObject({ ok: false, refusal: { code: 'policy.error' } })
  expect(policy.decide(FRIEND)).toMatchObject({ ok: true, value: { allow: true } })
  expect(policy.decide(conflicting)).toMatchObject({ ok: false, refusal: { code: 'policy.error' } })
  expect(policy.decide(FRIEND)).toMatchObject({ ok: false, refusal: { code: 'policy.unavailable' } })
  expect(policy.memoryPages()).toBe(0)

  await until(() => policy.decide(FRIEND).ok)
  const other = { ...FRIEND, agent: { ...FRIEND.agent, id: 'agent-59999' } }
  expect(policy.decide(other)).toMatchObject({ ok: true, value: { allow: true } })
})
