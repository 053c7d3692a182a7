import { beforeAll, describe, expect, test } from 'vitest'
import { ENTRYPOINT } from '../../../gateway/policy/bundles/bundle.ts'
import type { EvaluationEvents } from '../../../gateway/policy/evaluation/evaluation.ts'
import { createIsolatedEvaluator } from '../../../gateway/policy/evaluation/evaluator.ts'
import type { CompiledPolicy } from '../../../gateway/policy/evaluation/instance.ts'
import { loadAside } from '../../../gateway/policy/evaluation/load-aside.ts'
import { onlyPart } from '../../harness/only-part.ts'
import { compileRules, FRIEND, friendWithBody, startPolicy } from '../../harness/opa.ts'
import { SECONDS_WISH, SLOW_RULES } from '../../harness/slow-rules.ts'
import { until } from '../../harness/until.ts'

const allowed = { ok: true, value: { allow: true } }
const refused = (code: string) => ({ ok: false, refusal: { code } })
const slow = friendWithBody({ wish: SECONDS_WISH })

let bundle: Buffer
let compiled: CompiledPolicy
beforeAll(async () => {
  bundle = await compileRules(SLOW_RULES)
  ;({ compiled } = await loadAside({ parts: [onlyPart(bundle)], memoryLimitPages: 2048 }))
})

/** An isolated evaluator with its threads ready, and what it told. */
async function start(budgetMs: number) {
  const told: string[] = []
  const note = (name: string) => (): void => void told.push(name)
  const events: EvaluationEvents = {
    onThrow: note('threw'),
    onRecycle: note('recycled'),
    onOverBudget: note('over budget'),
    onThreadEnd: note('thread ended'),
  }
  const evaluator = await createIsolatedEvaluator(compiled, events, budgetMs)
  const ready = () => until(() => evaluator.memoryPages() === 2 * compiled.snapshot.pages)
  await ready()
  return { evaluator, told, ready, [Symbol.dispose]: () => evaluator[Symbol.dispose]() }
}

describe('policy in a thread of its own', () => {
  test('decides as in the thread of the calls, in the order asked', async () => {
    using running = await start(10_000)
    const { evaluator } = running
    expect([...evaluator.entrypoints]).toEqual([ENTRYPOINT])
    const ids = Array.from({ length: 50 }, (_, at) => (at % 3 === 0 ? 'friend' : 'foe'))
    const verdicts = await Promise.all(
      ids.map((id) => evaluator.decide({ ...FRIEND, agent: { ...FRIEND.agent, id } })),
    )
    expect(verdicts.map((verdict) => verdict.ok && verdict.value.allow)).toEqual(
      ids.map((id) => id === 'friend'),
    )
    expect(await evaluator.evaluateLog('system/log/mask', {})).toEqual({ defined: false })
  })

  test('refuses what is no input, and what throws, for that call alone', async () => {
    using running = await start(10_000)
    const { evaluator, told } = running
    expect(await evaluator.decide(friendWithBody({ text: '\ud800' }))).toMatchObject(
      refused('policy.input_invalid'),
    )
    expect(await evaluator.decide(friendWithBody({ conflict: true }))).toMatchObject(refused('policy.error'))
    expect(told).toEqual(['threw'])
    expect(await evaluator.decide(FRIEND)).toMatchObject(allowed)
  })

  test('ends an evaluation that takes longer than its budget; those behind it are decided', async () => {
    using running = await start(150)
    const { evaluator, told, ready } = running
    const startedMs = performance.now()
    const verdicts = await Promise.all([
      evaluator.decide(FRIEND),
      evaluator.decide(slow),
      evaluator.decide(FRIEND),
      evaluator.decide(friendWithBody({ wish: 1 })),
    ])
    expect(performance.now() - startedMs).toBeLessThan(2_000)
    expect(verdicts).toMatchObject([allowed, refused('policy.error'), allowed, allowed])
    expect(told).toEqual(['over budget', 'thread ended'])
    await ready()
    expect(await evaluator.decide(FRIEND)).toMatchObject(allowed)
  })

  test('refuses every call while no thread is left, and goes on when there is one', async () => {
    using running = await start(50)
    const { evaluator, told } = running
    const first = evaluator.decide(slow)
    const second = evaluator.decide(slow)
    const third = evaluator.decide(FRIEND)
    expect(await first).toMatchObject(refused('policy.error'))
    expect(await second).toMatchObject(refused('policy.error'))
    expect(await third).toMatchObject(refused('policy.unavailable'))
    expect(await evaluator.decide(FRIEND)).toMatchObject(refused('policy.unavailable'))
    expect(evaluator.memoryPages()).toBe(0)
    expect(told.filter((each) => each === 'thread ended')).toHaveLength(2)
    await until(async () => (await evaluator.decide(FRIEND)).ok)
  })

  test('lets no more calls wait than it can decide soon', async () => {
    using running = await start(10_000)
    const { evaluator } = running
    const verdicts = await Promise.all(Array.from({ length: 1100 }, () => evaluator.decide(FRIEND)))
    expect(verdicts.filter(({ ok }) => ok)).toHaveLength(1024)
    expect(verdicts.at(-1)).toMatchObject(refused('policy.unavailable'))
  })

  test('answers the calls that wait before it ends, and none afterwards', async () => {
    using running = await start(10_000)
    const { evaluator } = running
    const waiting = evaluator.decide(FRIEND)
    evaluator[Symbol.dispose]()
    expect(await waiting).toMatchObject(allowed)
    expect(await evaluator.decide(FRIEND)).toMatchObject(refused('policy.unavailable'))
  })
})

describe('a policy that takes seconds', () => {
  test('holds up nobody where it is isolated: other work goes on meanwhile', async () => {
    await using running = await startPolicy(bundle, { isolation: 'worker', budgetMs: 300 })
    const { policy, events } = running
    const verdict = policy.decide(slow)
    let turns = 0
    const counting = setInterval(() => (turns += 1), 1)
    expect(await verdict).toMatchObject(refused('policy.error'))
    clearInterval(counting)
    expect(turns).toBeGreaterThan(10)
    expect(events.map(({ type }) => type)).toEqual(['activated', 'over_budget', 'thread_ended'])
  })

  test('is counted where it is not, and decided', async () => {
    await using running = await startPolicy(bundle, { budgetMs: 1 })
    expect(running.policy.decide(friendWithBody({ wish: 500 }))).toMatchObject(allowed)
    expect(running.events.at(-1)).toMatchObject({ type: 'over_budget', elapsedMs: expect.any(Number) })
  })

  test('is exchanged for another one while calls wait', async () => {
    await using running = await startPolicy(bundle, { isolation: 'worker', budgetMs: 10_000 })
    const { policy, file } = running
    await file.write(await compileRules(SLOW_RULES.replace('"friend"', '"foe"')))
    const waiting = Array.from({ length: 20 }, async () => policy.decide(FRIEND))
    expect(await policy.reload()).toBe('activated')
    expect(await Promise.all(waiting)).toMatchObject(waiting.map(() => allowed))
    expect(await policy.decide(FRIEND)).toMatchObject({ ok: true, value: { allow: false } })
  })
})
