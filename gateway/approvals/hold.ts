import type { ApprovalsConfig } from '../config/approvals-config.ts'
import type { Decided, ReadCall } from '../exchange.ts'
import { refusalOfAbort } from '../fault.ts'
import { assertNever } from '../lib/assert-never.ts'
import type { Clock } from '../lib/clock.ts'
import {
  pass,
  refuse,
  type ApprovalNotice,
  type Refusal,
  type RefusalCode,
  type Verdict,
} from '../refusal.ts'
import type { PendingBounds } from '../store/approval-store.ts'
import type { Approval, ApprovalId, ApprovalState } from './approval.ts'
import type { ApprovalService } from './approval-service.ts'
import { ApprovalsUnavailable } from './approvals-unavailable.ts'
import { demandOf } from './demand.ts'
import type { HeldPlaces } from './held-places.ts'
import { endsAtMs } from './lifetime.ts'
import type { ApprovalObligation } from './owed.ts'
import { type BoundOf, subjectOf } from './subject.ts'

export interface HoldDependencies {
  readonly service: Pick<ApprovalService, 'answered' | 'consume' | 'request' | 'revoke'>
  readonly config: ApprovalsConfig
  readonly boundOf: BoundOf
  readonly places: HeldPlaces
  /** Where the agent of this call can ask how an approval stands. */
  readonly statusUrl: (call: ReadCall, id: ApprovalId) => string
  /** The refusal of a token whose time is over, with its challenge. */
  readonly tokenExpired: (call: ReadCall) => Verdict<never>
  readonly clock: Pick<Clock, 'nowMs'>
}

const RETRY_MS = 1_000
const DRAIN_RETRY_MS = 1_000

/** What ends a call whose approval came to this; `undefined` where it may still be made. */
export function refusalCodeOfState(state: ApprovalState): RefusalCode | undefined {
  switch (state) {
    case 'pending':
    case 'approved':
      return undefined
    case 'denied':
      return 'approval.denied'
    case 'expired':
      return 'approval.expired'
    case 'revoked':
      return 'approval.revoked'
    case 'consumed':
      return 'approval.used'
    default:
      return assertNever(state)
  }
}

/** The store cannot say: nothing that an approval would allow happens. */
export function unavailableOr(cause: unknown): { readonly ok: false; readonly refusal: Refusal } {
  if (!(cause instanceof ApprovalsUnavailable)) throw cause
  return refuse('approval.unavailable', { retryAfterMs: RETRY_MS, cause })
}

export function refusalOfBound(bound: keyof PendingBounds): Verdict<never> {
  const detail = `too many are pending (${bound})`
  return refuse(bound === 'perAgent' ? 'approval.too_many' : 'approval.unavailable', { detail })
}

/** Asks people about calls, and lets calls wait for them. */
export class Hold {
  readonly #dependencies: HoldDependencies

  constructor(dependencies: HoldDependencies) {
    this.#dependencies = dependencies
  }

  /**
   * Asks people about a call, unless they are being asked already, and waits for them where the agent wants to. Passes with
   * an approval that is not used up yet, and only where the agent did wait: it has to be decided anew.
   */
  async ask(call: Decided, obligation: ApprovalObligation): Promise<Verdict<Approval>> {
    try {
      return await this.#ask(call, obligation)
    } catch (cause) {
      return unavailableOr(cause)
    }
  }

  /** Uses the approval up for this call, which nothing but this permits. */
  async use(call: Decided, approval: Approval): Promise<Verdict<Approval>> {
    const { service } = this.#dependencies
    const { binding } = approval.subject
    const { callId } = call.arrival
    try {
      const answer = await service.consume(approval.id, { binding, callId })
      if (answer?.kind === 'consumed') return pass(answer.approval)
      if (answer === undefined) return refuse('approval.unknown')
      const code = answer.why === 'mismatch' ? 'approval.mismatch' : refusalCodeOfState(answer.approval.state)
      const notice = this.notice(call, answer.approval)
      return refuse(code ?? 'approval.required', { approval: notice, detail: answer.why })
    } catch (cause) {
      return unavailableOr(cause)
    }
  }

  notice(call: ReadCall, approval: Approval): ApprovalNotice {
    const { id, state } = approval
    return { id, state, url: this.#dependencies.statusUrl(call, id), endsAtMs: endsAtMs(approval) }
  }

  async #ask(call: Decided, { id, properties }: ApprovalObligation): Promise<Verdict<Approval>> {
    const { service, config, boundOf } = this.#dependencies
    if (call.content.stream !== undefined) return refuse('approval.unbindable')
    const outgrown = call.approval?.state === 'approved' ? call.approval : undefined
    // It would stand for the same call, and be found in place of the one that is asked for now.
    if (outgrown !== undefined)
      await service.revoke(outgrown.id, { by: 'gateway', reason: 'policy asks for more than was approved' })
    const subject = subjectOf(call, boundOf(call))
    const demand = demandOf(properties, call.caller, config)
    const asked = await service.request({ kind: 'approval', subject, demand })
    if (asked.kind === 'full') return refusalOfBound(asked.bound)
    const detail = `${id} asks for ${properties.count} of ${properties.groups.join(', ')}`
    if (outgrown !== undefined) return this.#held(call, asked.approval, detail, true)
    const waitMs = Math.min(call.wishes.waitMs, config.maxWaitMs)
    if (waitMs === 0) return this.#held(call, asked.approval, detail)
    const waited = await this.#wait(call, asked.approval, waitMs)
    if (!waited.ok || waited.value.state === 'approved') return waited
    const code = refusalCodeOfState(waited.value.state)
    if (code === undefined) return this.#held(call, waited.value, detail)
    return refuse(code, { approval: this.notice(call, waited.value) })
  }

  #held(call: Decided, approval: Approval, detail: string, isOutgrown = false): Verdict<never> {
    const notice = { ...this.notice(call, approval), isOutgrown }
    if (!call.wishes.respondAsync) return refuse('approval.required', { approval: notice, detail })
    const headers = ['Location', notice.url, 'Preference-Applied', 'respond-async']
    return refuse('approval.pending', { approval: notice, headers, detail })
  }

  /** The call keeps its place in every limit; whatever ends it, ends the waiting. */
  async #wait(call: Decided, approval: Approval, waitMs: number): Promise<Verdict<Approval>> {
    const { service, places, clock, tokenExpired } = this.#dependencies
    using place = places.take()
    if (place === undefined) return pass(approval)
    const { arrival, caller } = call
    const tokenLeftMs = Math.max(0, caller.tokenExpiresAtMs - clock.nowMs())
    const time = AbortSignal.timeout(Math.min(waitMs, tokenLeftMs))
    const signal = AbortSignal.any([arrival.signal, place.signal, time])
    const answered = await service.answered(approval.id, signal)
    if (arrival.signal.aborted)
      return { ok: false, refusal: refusalOfAbort(arrival.signal, { code: 'request.timeout' }) }
    if (place.signal.aborted) return refuse('gateway.draining', { retryAfterMs: DRAIN_RETRY_MS })
    if (clock.nowMs() >= caller.tokenExpiresAtMs) return tokenExpired(call)
    return answered === undefined ? refuse('approval.unknown') : pass(answered)
  }
}
