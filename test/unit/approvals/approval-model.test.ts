import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Approval, ApprovalState } from '../../../gateway/approvals/approval.ts'
import { consume } from '../../../gateway/approvals/consume.ts'
import { settle } from '../../../gateway/approvals/lifetime.ts'
import { revoke } from '../../../gateway/approvals/revoke.ts'
import { vote } from '../../../gateway/approvals/vote.ts'
import {
  ballot,
  callId,
  EVERYBODY_IS_KNOWN,
  pendingApproval,
  person,
  subject,
  VIEW_DIGEST,
} from '../../harness/approval.ts'

/**
 * What may happen to an approval, written down a second time and in another way: not as steps from state to state, but as
 * questions about the whole of its past. Whatever the machine does has to agree with it, step by step.
 */
type Step =
  | { readonly does: 'vote'; readonly who: number; readonly no: boolean; readonly stale: boolean }
  | { readonly does: 'revoke' | 'settle' }
  | { readonly does: 'consume'; readonly call: number; readonly foreign: boolean }

type Timed = Step & { readonly atMs: number }

/** Spellings of the same person stand side by side; `pat` and `delegator` stand behind the call. */
const PEOPLE = [
  person('alice'),
  person('ALICE '),
  person('bob'),
  person('carl'),
  person('mona', { groups: ['change-managers'] }),
  person('eve', { groups: ['developers'] }),
  person('Pat@acme.example'),
  person('delegator@acme.example', { groups: ['change-managers', 'change-approvers'] }),
]
const NAMES = ['alice', 'alice', 'bob', 'carl', 'mona', 'eve', 'pat', 'delegator']
const APPROVERS = new Set(['alice', 'bob', 'carl'])
const ESCALATE_MS = 40
const ANSWER_MS = 100
const USE_MS = 30

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('vote' as const),
      who: fc.nat(PEOPLE.length - 1),
      no: fc.boolean(),
      stale: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('revoke' as const, 'settle' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('consume' as const),
      call: fc.nat(2),
      foreign: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
  },
)

const history = fc.array(fc.tuple(step, fc.integer({ min: 0, max: 25 })), { maxLength: 25 }).map((steps) => {
  let atMs = 0
  return steps.map(([what, laterMs]): Timed => ({ ...what, atMs: (atMs += laterMs) }))
})

/** What it has become, by what happened to it so far. */
class Past {
  readonly #count: number
  #yes = new Set<string>()
  #ended: ApprovalState | undefined
  #approvedAtMs: number | undefined
  #usedBy: number | undefined
  #escalatedBefore = false

  constructor(count: number) {
    this.#count = count
  }

  stateAt(nowMs: number): ApprovalState {
    if (this.#ended !== undefined) return this.#ended
    if (this.#approvedAtMs === undefined) return nowMs >= ANSWER_MS ? 'expired' : 'pending'
    return nowMs >= this.#approvedAtMs + USE_MS ? 'expired' : 'approved'
  }

  /** Whether this very step is a call that may be made. */
  lets(timed: Timed): boolean {
    return timed.does === 'consume' && !timed.foreign && this.#usedBy === timed.call
  }

  happened(timed: Timed): void {
    const state = this.stateAt(timed.atMs)
    if (state === 'expired') this.#ended = 'expired'
    if (state !== 'pending' && state !== 'approved') return
    if (timed.does === 'revoke') this.#ended = 'revoked'
    if (timed.does === 'consume' && state === 'approved' && !timed.foreign) {
      this.#ended = 'consumed'
      this.#usedBy = timed.call
    }
    if (timed.does === 'vote') this.#voted(timed, state)
  }

  #voted({ who, no, stale, atMs }: Extract<Timed, { does: 'vote' }>, state: ApprovalState): void {
    const name = NAMES[who] ?? ''
    const mayAnswer = APPROVERS.has(name) || (name === 'mona' && this.#hasEscalated(atMs, state))
    if (!mayAnswer || stale) return
    if (no) this.#ended = 'denied'
    else if (state === 'pending') {
      this.#yes.add(name)
      if (this.#yes.size >= this.#count) {
        this.#approvedAtMs = atMs
        this.#escalatedBefore = atMs >= ESCALATE_MS
      }
    }
  }

  /** Once it is approved nobody else is asked any more. */
  #hasEscalated(atMs: number, state: ApprovalState): boolean {
    return state === 'pending' ? atMs >= ESCALATE_MS : this.#escalatedBefore
  }
}

function apply(approval: Approval, timed: Timed): { next: Approval; consumed: boolean } {
  const { atMs } = timed
  switch (timed.does) {
    case 'vote': {
      const { who, no, stale } = timed
      const cast = ballot(PEOPLE[who] ?? person(''), {
        verdict: no ? 'deny' : 'approve',
        viewDigest: stale ? 'e'.repeat(64) : VIEW_DIGEST,
      })
      return { next: vote(approval, cast, atMs).next ?? approval, consumed: false }
    }
    case 'revoke':
      return { next: revoke(approval, { by: 'x', reason: '' }, atMs).next ?? approval, consumed: false }
    case 'settle':
      return { next: settle(approval, atMs), consumed: false }
    case 'consume': {
      const binding = timed.foreign ? 'c'.repeat(64) : subject().binding
      const use = { binding, callId: callId(String(timed.call)), personNow: EVERYBODY_IS_KNOWN.now }
      const { next = approval, answer } = consume(approval, use, atMs)
      return { next, consumed: answer.kind === 'consumed' }
    }
  }
}

const FINAL: ReadonlySet<ApprovalState> = new Set(['denied', 'expired', 'revoked', 'consumed'])

it('agrees with its past in 10,000 histories', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), history, (count, steps) => {
      const past = new Past(count)
      const demand = { count, escalateAfterMs: ESCALATE_MS, answerWithinMs: ANSWER_MS, useWithinMs: USE_MS }
      let approval = pendingApproval({ demand })
      const machine: string[] = []
      const history: string[] = []
      for (const timed of steps) {
        const before = approval
        const { next, consumed } = apply(before, timed)
        approval = next
        past.happened(timed)
        const votesAreKept = before.votes.every((vote, at) => vote === approval.votes[at])
        const isLeftAlone = !FINAL.has(before.state) || approval === before
        machine.push(`${settle(approval, timed.atMs).state} ${consumed} ${votesAreKept} ${isLeftAlone}`)
        history.push(`${past.stateAt(timed.atMs)} ${past.lets(timed)} true true`)
      }
      expect(machine.join()).toBe(history.join())
    }),
    { numRuns: 10_000 },
  )
})
