import { beforeAll, describe, expect, test } from 'vitest'
import { loadAside } from '../../../gateway/policy/evaluation/load-aside.ts'
import type { LoadRequest } from '../../../gateway/policy/evaluation/load-policy.ts'
import { createEvaluator } from '../../../gateway/policy/evaluation/evaluator.ts'
import { onlyPart } from '../../harness/only-part.ts'
import { compileRules, FRIEND, FRIEND_RULES } from '../../harness/opa.ts'

/** More than is loaded in the thread of the calls. */
const LARGE = { padding: Array.from({ length: 60_000 }, (_, at) => `value-${at}`) }

function requestOf(bytes: Buffer, more: Partial<LoadRequest> = {}): LoadRequest {
  return { parts: [onlyPart(bytes)], memoryLimitPages: 2048, ...more }
}

describe('a policy with much data', () => {
  let bundle: Buffer
  beforeAll(async () => {
    bundle = await compileRules(
      `${FRIEND_RULES}\nallow if input.agent.id == data.registry.padding[59999]\nallow if count(data.registry.padding) == input.history.calls_1m`,
      { data: LARGE },
    )
  })

  test('decides with it in this thread, though loaded in another', async () => {
    const { compiled, digest, revision } = await loadAside(requestOf(bundle))
    const evaluator = await createEvaluator(compiled)
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(revision).not.toBe('')
    expect(evaluator.decide({ ...FRIEND, agent: { ...FRIEND.agent, id: 'value-59999' } })).toMatchObject({
      value: { allow: true },
    })
    expect(evaluator.decide({ ...FRIEND, agent: { ...FRIEND.agent, id: 'value-60000' } })).toMatchObject({
      value: { allow: false },
    })
  })

  test('is refused for what is wrong with it in the other thread, too', async () => {
    await expect(loadAside(requestOf(bundle, { memoryLimitPages: 64 }))).rejects.toMatchObject({
      name: 'BundleError',
      problem: 'data',
      message: expect.stringContaining('64 are allowed'),
    })
    await expect(loadAside(requestOf(bundle.subarray(0, -100)))).rejects.toMatchObject({
      problem: 'archive',
      bundle: 'policy',
    })
  })

  test('is refused when it takes longer to load than is allowed', async () => {
    await expect(loadAside(requestOf(bundle), 1)).rejects.toMatchObject({ problem: 'self_test' })
  })
})
