import type { Approval, ApprovalId } from '../../../gateway/approvals/approval.ts'
import { NOBODY } from '../../../gateway/policy/evaluation/self-test.ts'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { buildInput } from '../../../gateway/policy/build-input.ts'
import type { Decision, Obligation } from '../../../gateway/policy/decision.ts'
import type { Decided } from '../../../gateway/exchange.ts'
import { pass, refuse } from '../../../gateway/refusal.ts'
import type { Verdict } from '../../../gateway/refusal.ts'
import { createApprove } from '../../../gateway/stages/approve.ts'
import { createDecide, type DecideDependencies } from '../../../gateway/stages/decide.ts'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { INPUT_V1 } from '../../../gateway/policy/input.ts'
import { aCall } from './call.ts'

const TIME = { ns: '1', date: '2026-11-23', weekday: 'monday', hour: 10, business_hours: true } as const
const NO_SIGNALS = { secrets: [], pii: [], injection: [], first_use: true }
const ALLOW: Decision = { allow: true, risk: 3, reasons: [], reported: [], obligations: [] }
const POLICY = { digest: 'sha256:0', revision: 'r' }
const ASKED = { ...POLICY, bundles: [], evaluateLog: () => ({ defined: false }) as const }

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

describe('the input', () => {
  test('is what the schema says, and carries every fact of the call', () => {
    const call = { ...aCall(), dataClassesTask: ['internal'], dataClasses1h: ['public'] } as const
    const input = buildInput(call, { ...NO_SIGNALS, secrets: ['github_token'] }, TIME)
    expect(new Ajv2020({ strictTypes: false }).validate(INPUT_V1.schema, input)).toBe(true)
    expect(input).toMatchObject({
      agent: { id: 'change-review-agent', binding: 'dpop' },
      principal: { id: 'dana@zyx.example', groups: ['devsecops-change-review'], device_compliant: true },
      tenant: 'zyx-bank',
      operation: { id: 'github.pulls/get', access: 'read', data_class: 'internal', environment: 'staging' },
      resource: { repository: 'zyx/platform-infra' },
      declared: { ticket: 'CHG-18422', rollback_plan: 'Close it.' },
      signals: { secrets: ['github_token'], first_use: true },
      history: {
        calls_1m: 2,
        errors_1h: 1,
        operations_1h: ['github.pulls/list'],
        data_classes_task: ['internal'],
        data_classes_1h: ['public'],
      },
      time: TIME,
    })
  })
})

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

describe('approve', () => {
  const approval: Obligation = {
    id: 'R060',
    type: 'approval',
    properties: {
      groups: ['change-approvers'],
      count: 2,
      distinct: true,
      ttlSeconds: 60,
      escalationGroup: 'change-managers',
      escalateAfterSeconds: 30,
      excluded: [],
    },
  }
  const later: readonly Obligation[] = [
    { id: 'R1', type: 'redact', properties: { pointers: ['/a'] } },
    { id: 'R2', type: 'cap_bytes', properties: { maxBytes: 1 } },
    { id: 'R4', type: 'notify', properties: { groups: ['a'] } },
  ]
  const review: Obligation = { id: 'R3', type: 'post_review', properties: { groups: ['a'], ttlSeconds: 1 } }
  const limit: Obligation = { id: 'R5', type: 'limit', properties: { name: 'a' } }
  const decidedWith = (decision: Decision): Decided => ({
    ...aCall(),
    input: NOBODY,
    policy: POLICY,
    decision,
  })
  const owing = (obligations: readonly Obligation[]): Decided => decidedWith({ ...ALLOW, obligations })
  let asked: unknown[] = []
  let withdrawn: unknown[] = []
  beforeEach(() => {
    asked = []
    withdrawn = []
  })
  const approve = createApprove({
    hold: {
      ask: async (_call, obligation) => {
        asked.push(obligation)
        return refuse('approval.required')
      },
      use: async () => refuse('approval.used'),
    },
    reviews: {
      ask: async (_call, obligation) => {
        asked.push(obligation)
        return pass('review-1' as ApprovalId)
      },
      withdraw: (id) => void withdrawn.push(id),
    },
    redecide: () => refuse('policy.error'),
    clock: { nowMs: () => 0 },
  })

  test('gives a permit for the call that owes nothing, and asks nobody', () => {
    const decided = decidedWith(ALLOW)
    const verdict = approve(decided)
    expect('ok' in verdict && verdict.ok && verdict.value.call).toBe(decided)
    expect(asked).toEqual([])
  })

  test('gives none for a deny, should one ever come this far', () => {
    expect(approve(decidedWith({ ...ALLOW, allow: false }))).toMatchObject({
      ok: false,
      refusal: { code: 'policy.denied' },
    })
  })

  test('asks people about the call that they have to approve', async () => {
    expect(await approve(owing([...later, approval]))).toMatchObject({
      refusal: { code: 'approval.required' },
    })
    expect(asked).toEqual([approval])
  })

  test('lets a call go on whose answer is redacted or bounded, or of which somebody is told', () => {
    expect(approve(owing(later))).toMatchObject({ ok: true })
  })

  test('has people asked about the call that is looked at afterwards, before it is made', async () => {
    const verdict = await approve(owing([...later, review]))
    expect(verdict.ok && verdict.value.call.review).toBe('review-1')
    expect(asked).toEqual([review])
  })

  test('asks nobody to look at a call that its approval did not let through', async () => {
    const call = { ...owing([review]), approval: { state: 'approved' } as Approval }
    expect(await approve(call)).toMatchObject({ refusal: { code: 'approval.used' } })
    expect(withdrawn).toEqual(['review-1'])
  })

  test('refuses an obligation that nobody here can carry out', () => {
    expect(approve(owing([limit]))).toMatchObject({ refusal: { code: 'policy.obligation_unsupported' } })
  })

  test('asks nobody for an approval that could not help, or for two at once', () => {
    for (const obligations of [
      [approval, ...later, limit],
      [approval, { ...approval, id: 'R099' }],
      [review, { ...review, id: 'R099' }],
    ]) {
      expect(approve(owing(obligations))).toMatchObject({
        refusal: { code: 'policy.obligation_unsupported' },
      })
    }
    expect(asked).toEqual([])
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
