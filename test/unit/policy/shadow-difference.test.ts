import { describe, expect, test } from 'vitest'
import type { CallId } from '../../../gateway/exchange.ts'
import type { Decision } from '../../../gateway/policy/decision.ts'
import { shadowDifference } from '../../../gateway/policy/shadow-difference.ts'
import { type DecidedCall, ShadowQueue } from '../../../gateway/policy/shadow-queue.ts'
import { NOBODY } from '../../../gateway/policy/evaluation/self-test.ts'
import { pass, refuse, type Verdict } from '../../../gateway/refusal.ts'
import { until } from '../../harness/until.ts'

const reason = (rule: string, detail = '') => ({ code: 'hours.closed', rule, detail }) as const
const verdict = (allow: boolean, more: Partial<Decision> = {}): Verdict<Decision> =>
  pass({ allow, risk: 0, reasons: [], reported: [], obligations: [], ...more })
const allow = verdict(true)
const deny = verdict(false, { reasons: [reason('R1'), reason('R2')] })
const notify = { id: 'tell', type: 'notify', properties: { groups: ['soc'] } } as const
const by = { digest: 'sha256:1', revision: 'live' }
const call = (live: Verdict<Decision>): DecidedCall => ({
  callId: 'c' as CallId,
  input: NOBODY,
  verdict: live,
  by,
})
const shadow = (of: Verdict<Decision>) => ({ verdict: of, digest: 'sha256:2', revision: 'draft' })

describe('two verdicts on one call', () => {
  test.each<[string, Verdict<Decision>, Verdict<Decision>, string | undefined]>([
    ['are the same', allow, verdict(true), undefined],
    [
      'are the same in other words',
      deny,
      verdict(false, { reasons: [reason('R1', 'x'), reason('R2')] }),
      undefined,
    ],
    ['deny what was allowed', allow, deny, 'allow_to_deny'],
    ['allow what was denied', deny, allow, 'deny_to_allow'],
    ['deny for another reason', deny, verdict(false, { reasons: [reason('R3')] }), 'changed'],
    ['find another risk', allow, verdict(true, { risk: 1 }), 'changed'],
    ['ask for something else', allow, verdict(true, { obligations: [notify] }), 'changed'],
    ['report another rule', allow, verdict(true, { reported: [reason('R9')] }), 'changed'],
    ['fail in one place', allow, refuse('policy.error'), 'error'],
    ['fail in the other', refuse('policy.invalid'), deny, 'error'],
    ['fail alike', refuse('policy.error'), refuse('policy.error', { cause: 'x' }), undefined],
  ])('%s', (_, live, drafted, kind) => {
    expect(shadowDifference(call(live), shadow(drafted))?.kind).toBe(kind)
  })

  test('are told with who made them and the rules between them', () => {
    const other = verdict(false, { reasons: [reason('R2'), reason('R3'), reason('R3', 'again')] })
    expect(shadowDifference(call(deny), shadow(other))).toEqual({
      callId: 'c',
      kind: 'changed',
      live: { verdict: deny, ...by },
      shadow: shadow(other),
      rulesAdded: ['R3'],
      rulesDropped: ['R1'],
    })
  })
})

describe('the queue of a shadow', () => {
  interface Asked {
    readonly done: string[]
    readonly answer: (() => void)[]
    dropped: number
  }
  function queueOf(
    more: { sample?: number; random?: () => number; nobody?: boolean; broken?: boolean } = {},
  ) {
    const asked: Asked = { done: [], answer: [], dropped: 0 }
    const { sample = 1, random = () => 0, nobody = false, broken = false } = more
    const queue = new ShadowQueue<string>({
      limit: 3,
      sample,
      random,
      current: () => (nobody ? undefined : 'shadow'),
      decide: () =>
        broken
          ? Promise.reject(new Error('broken'))
          : new Promise((resolve) => asked.answer.push(() => resolve(allow))),
      onDecided: (_call, _verdict, who) => asked.done.push(who),
      onDropped: () => void (asked.dropped += 1),
    })
    return { asked, queue }
  }

  test('asks nobody before whoever decided a call has gone on', async () => {
    const { asked, queue } = queueOf()
    queue.push(call(allow))
    await Promise.resolve()
    expect(asked.answer).toHaveLength(0)
    await until(() => asked.answer.length === 1)
    asked.answer[0]?.()
    await until(() => asked.done.length === 1)
    expect(queue.length).toBe(0)
  })

  test('drops what is beyond its limit, those under evaluation counted', async () => {
    const { asked, queue } = queueOf()
    for (let at = 0; at < 5; at += 1) queue.push(call(allow))
    expect(asked.dropped).toBe(2)
    await until(() => asked.answer.length === 3)
    queue.push(call(allow))
    expect(asked.dropped).toBe(3)
    for (const answer of asked.answer) answer()
    await until(() => asked.done.length === 3)
    queue.push(call(allow))
    expect(queue.length).toBe(1)
  })

  test('takes a share of the calls, and none while there is no shadow', () => {
    const draws = [0.09, 0.1, 0.5]
    const { queue } = queueOf({ sample: 0.1, random: () => draws.shift() ?? 1 })
    for (let at = 0; at < 3; at += 1) queue.push(call(allow))
    expect(queue.length).toBe(1)
    const empty = queueOf({ nobody: true })
    empty.queue.push(call(allow))
    expect(empty.queue.length + empty.asked.dropped).toBe(0)
  })

  test('loses a call whose evaluation fails for good, and goes on', async () => {
    const { asked, queue } = queueOf({ broken: true })
    queue.push(call(allow))
    await until(() => asked.dropped === 1)
    expect(queue.length).toBe(0)
  })

  test('counts what still waits when it is closed, and takes nothing more', () => {
    const { asked, queue } = queueOf()
    queue.push(call(allow))
    queue[Symbol.dispose]()
    queue.push(call(allow))
    expect(asked).toMatchObject({ dropped: 1, answer: [] })
  })
})
