import type { ApprovalsConfig } from '../config/approvals-config.ts'
import type { Actor } from '../control/actor.ts'
import {
  type ApprovalStore,
  type PendingBounds,
  type Transition,
  Unwitnessed,
  type Witness,
} from '../store/approval-store.ts'
import type {
  Approval,
  ApprovalDemand,
  ApprovalId,
  ApprovalKind,
  ApprovalState,
  Subject,
} from './approval.ts'
import { type ApprovalEvent, eventsBetween } from './approval-event.ts'
import { ApprovalsUnavailable } from './approvals-unavailable.ts'
import { consume, type ConsumeAnswer, type Use } from './consume.ts'
import { createApproval } from './create-approval.ts'
import type { KnownPeople } from './known-people.ts'
import { isOpen, openKey, pendingKey, settle } from './lifetime.ts'
import { type Revocation, revoke, type RevokeAnswer } from './revoke.ts'
import { waitForAnswer } from './wait-for-answer.ts'
import { type Ballot, vote, type VoteAnswer } from './vote.ts'

export interface WantedApproval {
  readonly kind: ApprovalKind
  readonly subject: Subject
  readonly demand: ApprovalDemand
}

export type RequestAnswer =
  /** `known`: one is open for the very same call, and this is it. */
  | { readonly kind: 'made' | 'known'; readonly approval: Approval }
  /** Too many wait for people already, of this agent or overall. */
  | { readonly kind: 'full'; readonly bound: keyof PendingBounds }

export interface ApprovalServiceOptions {
  readonly store: ApprovalStore
  readonly config: Pick<ApprovalsConfig, 'maxPendingPerAgent' | 'maxPending'>
  readonly newId: () => ApprovalId
  /** Who people are by now. */
  readonly people: Pick<KnownPeople, 'now'>
  /** Told of everything that happened through this gateway, once it has; may not throw. */
  readonly onEvent: (event: ApprovalEvent) => void
  /** Told of a call for which nobody is asked, because too many wait already. */
  readonly onFull: (bound: keyof PendingBounds, subject: Subject) => void
}

/**
 * Approvals, as the rest of the gateway uses them. Every method rejects with {@link ApprovalsUnavailable} when the store
 * cannot say, and answers `undefined` for an id that nobody knows.
 */
export class ApprovalService {
  readonly #options: ApprovalServiceOptions

  constructor(options: ApprovalServiceOptions) {
    this.#options = options
  }

  /** Asks people, unless they are being asked about the very same call already, or have said yes to it. */
  async request({ kind, subject, demand }: WantedApproval): Promise<RequestAnswer> {
    const { store, newId, config } = this.#options
    const wanted = {
      openKey: openKey({ kind, subject }),
      pendingKey: pendingKey({ kind, subject }),
      make: (nowMs: number) => createApproval({ id: newId(), kind, subject, demand, nowMs }),
    }
    const bounds = { perAgent: config.maxPendingPerAgent, overall: config.maxPending }
    for (;;) {
      const requested = await available(store.request(wanted, bounds))
      if (requested.kind === 'full') {
        this.#options.onFull(requested.bound, subject)
        return requested
      }
      if (requested.kind === 'made') {
        const { approval } = requested
        this.#options.onEvent({ kind: 'requested', atMs: approval.createdAtMs, approval })
        return { kind: 'made', approval }
      }
      const approval = settle(requested.approval, requested.nowMs)
      if (isOpen(approval)) return { kind: 'known', approval }
      // Its time is over, which nobody has told the store yet.
      await this.settle(approval.id)
    }
  }

  /** As it stands by now. */
  async lookup(id: ApprovalId): Promise<Approval | undefined> {
    const reading = await available(this.#options.store.get(id))
    return reading && settle(reading.approval, reading.nowMs)
  }

  /** Newest first. */
  async list(states: readonly ApprovalState[], limit: number): Promise<readonly Approval[]> {
    const readings = await available(this.#options.store.list({ states, limit }))
    return readings.map(({ approval, nowMs }) => settle(approval, nowMs))
  }

  /**
   * Waits until people have answered, or time has. Resolves with what it is by then, and with one that is still
   * `pending` as soon as `signal` is aborted; while the store is away it waits on.
   */
  answered(id: ApprovalId, signal: AbortSignal): Promise<Approval | undefined> {
    const { store } = this.#options
    return waitForAnswer({ id, store, read: () => available(store.get(id)), signal })
  }

  async vote(id: ApprovalId, given: Ballot): Promise<VoteAnswer | undefined> {
    const { person } = given
    // Whom nobody knows is in no group, so that what they try is refused, and on record, like anybody's.
    const ballot = { ...given, person: this.#options.people.now(person) ?? { ...person, groups: [] } }
    let atMs = 0
    const answer = await this.#change(
      id,
      (approval, nowMs) => {
        atMs = nowMs
        return vote(approval, ballot, nowMs)
      },
      // A no that a failover loses would leave the yes before it.
      ballot.verdict === 'deny' ? 'sought' : 'none',
    )
    if (answer?.kind === 'refused') {
      const { approval, why } = answer
      this.#options.onEvent({ kind: 'vote_refused', atMs, approval, ballot, why })
    }
    return answer
  }

  revoke(id: ApprovalId, revocation: Revocation): Promise<RevokeAnswer | undefined> {
    const transition: Transition<RevokeAnswer> = (approval, nowMs) => revoke(approval, revocation, nowMs)
    return this.#change(id, transition, 'sought', revocation.actor)
  }

  /** Uses it up for one call, which may be made only where this answers `consumed`. */
  consume(id: ApprovalId, call: Omit<Use, 'personNow'>): Promise<ConsumeAnswer | undefined> {
    const use: Use = { ...call, personNow: (person) => this.#options.people.now(person) }
    return this.#change(id, (approval, nowMs) => consume(approval, use, nowMs), 'required')
  }

  /** Puts down what time alone has made of it. */
  async settle(id: ApprovalId): Promise<void> {
    await this.#change(
      id,
      (approval, nowMs) => {
        const next = settle(approval, nowMs)
        return { next: next === approval ? undefined : next, answer: undefined }
      },
      'none',
    )
  }

  async #change<T>(
    id: ApprovalId,
    transition: Transition<T>,
    witness: Witness,
    by?: Actor,
  ): Promise<T | undefined> {
    let events: readonly ApprovalEvent[] = []
    // A store may try more than once; the last time is the one that counts.
    const observed: Transition<T> = (approval, nowMs) => {
      const change = transition(approval, nowMs)
      events = change.next === undefined ? [] : eventsBetween(approval, change.next, nowMs, by)
      return change
    }
    let kept = true
    try {
      return await available(this.#options.store.change(id, observed, { witness }))
    } catch (error) {
      const { cause } = error as Error
      kept = cause instanceof Unwitnessed && cause.kept
      throw error
    } finally {
      if (kept) events.forEach(this.#options.onEvent)
    }
  }
}

async function available<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (cause) {
    throw new ApprovalsUnavailable(cause)
  }
}
