import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { buildInput } from '../../../gateway/policy/build-input.ts'
import type { Decision } from '../../../gateway/policy/decision.ts'
import { pass, refuse } from '../../../gateway/refusal.ts'
import type { Verdict } from '../../../gateway/refusal.ts'
import { createDecide, type DecideDependencies } from '../../../gateway/stages/decide.ts'
import { aCall } from './call.ts'
import { ALLOW, ASKED, NO_SIGNALS, POLICY, TIME } from './allowing-policy.ts'

function decideFrom(more: Partial<DecideDependencies>): ReturnType<typeof createDecide> {
  return createDecide({
    policy: { ...ASKED, decide: () => pass(ALLOW) },
    decisionLog: undefined,
    timeOf: () => TIME,
    signalsOf: () => NO_SIGNALS,
    breaker: { retryAfterMs: () => 0, failed: () => undefined },
    budgetMs: 100,
    clock: { monotonicMs: () => 0 },
    observe: () => {},
    ...more,
  })
}

function decideWith(verdict: Verdict<Decision>): ReturnType<typeof createDecide> {
  return decideFrom({ policy: { ...ASKED, decide: () => verdict } })
}

describe('decide', () => {
  let asked: { readonly nowMs: number; readonly elapsedMs: number }
  beforeAll(() => {
    let nowMs = 0
    let elapsedMs = 0
    const ticks = [4, 5, 6, 7.5]
    void decideFrom({
      timeOf: (at) => {
        nowMs = at
        return TIME
      },
      clock: { monotonicMs: () => ticks.shift() ?? 0 },
      observe: (elapsed) => {
        elapsedMs = elapsed
      },
    })(aCall())
    asked = { nowMs, elapsedMs }
  })

  test('asks with the time at which the call arrived, and says how long the answer took', () => {
    expect(asked).toEqual({ nowMs: aCall().arrival.receivedAtMs, elapsedMs: 2.5 })
  })

  test('waits for a policy in another thread, and names the one that was asked', async () => {
    const policy = { ...ASKED, decide: () => Promise.resolve(pass(ALLOW)) }
    let elapsedMs = 0
    const ticks = [4, 5, 6, 7.5]
    const deciding = decideFrom({
      policy,
      clock: { monotonicMs: () => ticks.shift() ?? 0 },
      observe: (elapsed) => (elapsedMs = elapsed),
    })(aCall())
    policy.revision = 'swapped in meanwhile'
    expect(await deciding).toMatchObject({ ok: true, value: { decision: ALLOW, policy: POLICY } })
    expect(elapsedMs).toBe(2.5)
  })

  test('passes an allow on, with the policy that gave it', () => {
    expect(decideWith(pass(ALLOW))(aCall())).toMatchObject({
      ok: true,
      value: { decision: ALLOW, policy: POLICY },
    })
  })

  test('turns a deny into a refusal with its reasons, its risk and the policy that gave it', () => {
    const reasons = [{ code: 'agent.unknown', rule: 'R001', detail: 'x' }] as const
    const verdict = decideWith(pass({ ...ALLOW, allow: false, reasons }))(aCall())
    const decidedBy = { ...POLICY, risk: 3, reported: [] }
    expect(verdict).toMatchObject({ ok: false, refusal: { code: 'policy.denied', reasons, decidedBy } })
  })

  test('does not ask for an agent that keeps making policy fail', () => {
    const decide = (): never => {
      throw new Error('policy was asked')
    }
    const breaker = { retryAfterMs: () => 2_000, failed: () => undefined }
    expect(decideFrom({ policy: { ...ASKED, decide }, breaker })(aCall())).toMatchObject({
      ok: false,
      refusal: { code: 'breaker.agent_open', retryAfterMs: 2_000 },
    })
  })

  test.each<[string, Verdict<Decision>, number, number]>([
    ['an evaluation that threw', refuse('policy.error'), 0, 1],
    ['one above the budget', pass(ALLOW), 100.5, 1],
    ['an allow', pass(ALLOW), 100, 0],
    ['a deny', pass({ ...ALLOW, allow: false }), 0, 0],
    ['an input that policy cannot be shown', refuse('policy.input_invalid'), 0, 0],
    ['a policy that makes no sense', refuse('policy.invalid'), 0, 0],
    ['no policy', refuse('policy.unavailable'), 0, 0],
  ])('counts %s as it should towards stopping the agent', (_, verdict, elapsedMs, failures) => {
    const failed: unknown[] = []
    const ticks = [4, 5, 6, 6 + elapsedMs]
    void decideFrom({
      policy: { ...ASKED, decide: () => verdict },
      breaker: { retryAfterMs: () => 0, failed: (agent, nowMs) => failed.push({ ...agent, nowMs }) },
      clock: { monotonicMs: () => ticks.shift() ?? 0 },
    })(aCall())
    const { tenant, agent } = aCall().caller
    const failure = { tenant, issuer: agent.issuer, id: agent.id, nowMs: 6 + elapsedMs }
    expect(failed).toEqual(failures === 1 ? [failure] : [])
  })

  test('does not take waiting for another thread for being slow', async () => {
    const failed: unknown[] = []
    const ticks = [4, 5, 6, 900]
    await decideFrom({
      policy: { ...ASKED, decide: () => Promise.resolve(pass(ALLOW)) },
      breaker: { retryAfterMs: () => 0, failed: (agent) => failed.push(agent) },
      clock: { monotonicMs: () => ticks.shift() ?? 0 },
    })(aCall())
    expect(failed).toEqual([])
  })

  test.each(['policy.error', 'policy.invalid', 'policy.input_invalid', 'policy.unavailable'] as const)(
    'passes %s on, with the policy that gave it',
    (code) => {
      expect(decideWith(refuse(code))(aCall())).toMatchObject(refuse(code, { decidedBy: POLICY }))
    },
  )

  test('hands on what policy was given, for the record, whatever came of it', () => {
    const [allowed, denied] = [ALLOW, { ...ALLOW, allow: false }].map((made) =>
      decideWith(pass(made))(aCall()),
    )
    const input = buildInput(aCall(), NO_SIGNALS, TIME)
    expect(allowed).toMatchObject({ value: { input } })
    expect(denied).toMatchObject({ refusal: { decidedBy: { input } } })
  })
})

describe('decide with a decision log', () => {
  const recorded: { readonly id: string; readonly verdict: unknown }[] = []
  const decideLogged = (verdict: Verdict<Decision>, admits: boolean | Promise<boolean>) =>
    decideFrom({
      policy: { ...ASKED, decide: () => verdict },
      decisionLog: {
        admits: () => admits,
        record: (call, made) => void recorded.push({ id: call.arrival.callId, verdict: made.verdict }),
      },
    })(aCall())
  beforeEach(() => void recorded.splice(0))

  test.each([
    pass(ALLOW),
    pass({ ...ALLOW, allow: false }),
    refuse('policy.error'),
    refuse('policy.invalid'),
  ])('logs every verdict as it was given', (verdict) => {
    void decideLogged(verdict, true)
    expect(recorded).toEqual([{ id: aCall().arrival.callId, verdict }])
  })

  test('asks no policy while there is no room, and says why it refuses', () => {
    expect(decideLogged(pass(ALLOW), false)).toMatchObject({
      ok: false,
      refusal: { code: 'audit.unavailable', detail: 'the decision log is full', retryAfterMs: 1_000 },
    })
    expect(recorded).toEqual([])
  })

  test('waits for room where it may', async () => {
    await expect(decideLogged(pass(ALLOW), Promise.resolve(true))).resolves.toMatchObject({ ok: true })
    await expect(decideLogged(pass(ALLOW), Promise.resolve(false))).resolves.toMatchObject({ ok: false })
    expect(recorded).toHaveLength(1)
  })
})
