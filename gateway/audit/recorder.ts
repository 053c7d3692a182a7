import type { Progress, Sealed, Unparsed } from '../exchange.ts'
import { lastDecision, type Outcome } from '../outcome.ts'
import type { Clock } from '../lib/clock.ts'
import type { ShadowDifference } from '../policy/shadow-difference.ts'
import { pass, refuse, type Verdict } from '../refusal.ts'
import type { AuditLog, Durability, Position } from './audit-log.ts'
import { concludingEntry, decisionEntry, refusalEntry, unparsedEntry } from './call-entries.ts'
import { isoTime } from '../lib/iso-time.ts'
import type { DisclosureLog } from './disclosures/disclosure-log.ts'
import { encodeEntry, type OutcomeEntry } from './entry.ts'
import type { KeyedTokens } from './keyed-tokens.ts'
import { shadowEntry } from './shadow-entry.ts'

/** Ids in one `open` entry: 1,000 of 39 bytes each stay below the limit of an entry. */
const OPEN_CALLS_PER_ENTRY = 1_000

export interface RecorderOptions {
  readonly log: AuditLog
  readonly tokens: KeyedTokens
  /** Where what entries only commit to is kept; without it they hold what fits into them. */
  readonly disclosures?: Pick<DisclosureLog, 'disclose'>
  readonly clock: Clock
  /** When an intent counts as on record; `execute` is a write. */
  readonly durability: { readonly read: Durability; readonly write: Durability }
  /** Calls with an intent and no outcome on record; shared with the log's `carry`. */
  readonly openCalls: Set<string>
  /** Beyond so many bytes waiting to be written no intent is taken; the rest of the queue is for outcomes. */
  readonly intentQueueLimitBytes?: number
  readonly onAppend?: (durability: Durability, durationMs: number) => void
}

/** Puts calls on record: the intent before anything is sent, the outcome after. */
export class Recorder {
  readonly #options: RecorderOptions

  constructor(options: RecorderOptions) {
    this.#options = options
  }

  /** Why calls cannot be put on record; empty when they can. */
  trouble(): string {
    const { log, intentQueueLimitBytes = 16_777_216 } = this.#options
    const { state, queuedBytes, detail } = log.health()
    if (state !== 'open') return `the audit log is ${state}${detail === '' ? '' : `: ${detail}`}`
    return queuedBytes > intentQueueLimitBytes ? 'the audit queue is full' : ''
  }

  /** Resolves once the intent is as durable as the configuration demands of its access. */
  async intend(sealed: Sealed): Promise<Verdict<Position>> {
    const reason = this.trouble()
    if (reason !== '') return refuse('audit.unavailable', { detail: reason, retryAfterMs: 1_000 })
    const { clock, tokens, disclosures, durability, openCalls } = this.#options
    const { call } = sealed.permit
    const { arrival, operation } = call
    const wanted = operation.access === 'read' ? durability.read : durability.write
    const disclosed = disclosures?.disclose(call, call.input, wanted)
    const entry = encodeEntry(decisionEntry(sealed, clock.nowMs(), tokens, disclosed))
    openCalls.add(arrival.callId)
    try {
      return pass(await this.#append(entry, wanted))
    } catch (cause) {
      openCalls.delete(arrival.callId)
      return refuse('audit.unavailable', { retryAfterMs: 1_000, cause })
    }
  }

  /** Records how the call ended; rejects when that could not be put on record. */
  async conclude(call: Progress, outcome: Outcome): Promise<void> {
    const { clock, tokens, openCalls } = this.#options
    const { callId, startedMs } = call.arrival
    const durationMs = clock.monotonicMs() - startedMs
    const nowMs = clock.nowMs()
    const entry = openCalls.has(callId)
      ? concludingEntry(call, outcome, durationMs, nowMs, tokens)
      : this.#refusal(call, outcome, durationMs, nowMs)
    await this.#appendOutcome(entry)
    // Only now: were it gone before, a rotation in between would forget a call whose outcome is not written.
    openCalls.delete(callId)
  }

  #refusal(call: Progress, outcome: Outcome, durationMs: number, nowMs: number): OutcomeEntry {
    const { disclosures, tokens } = this.#options
    const input = lastDecision(call, outcome)?.input
    const disclosed = disclosures?.disclose(call, input, 'flushed')
    return refusalEntry(call, outcome, durationMs, nowMs, tokens, disclosed)
  }

  concludeUnparsed(unparsed: Unparsed): Promise<void> {
    return this.#appendOutcome(unparsedEntry(unparsed, this.#options.clock.nowMs()))
  }

  /** Records that a shadow decides a call otherwise; rejects when there is no room for what is only information. */
  async shadowDiffered(difference: ShadowDifference): Promise<void> {
    const reason = this.trouble()
    if (reason !== '') throw new Error(reason)
    await this.#append(encodeEntry(shadowEntry(difference, this.#options.clock.nowMs())), 'flushed')
  }

  // Outcomes are handed to the operating system: one that a power loss takes is found in doubt at the next start.
  async #appendOutcome(entry: OutcomeEntry): Promise<void> {
    await this.#append(encodeEntry(entry), 'flushed')
  }

  async #append(entry: Uint8Array, wanted: Durability): Promise<Position> {
    const { log, clock, onAppend } = this.#options
    const startedMs = clock.monotonicMs()
    const position = await log.append(entry, wanted)
    onAppend?.(wanted, clock.monotonicMs() - startedMs)
    return position
  }
}

/** The `open` entries that the log repeats at the head of each new segment. */
export function openEntries(openCalls: ReadonlySet<string>, nowMs: number): Buffer[] {
  const calls = [...openCalls]
  const entries: Buffer[] = []
  for (let start = 0; start < calls.length; start += OPEN_CALLS_PER_ENTRY) {
    const part = calls.slice(start, start + OPEN_CALLS_PER_ENTRY)
    entries.push(encodeEntry({ calls: part, time: isoTime(nowMs), type: 'open', v: 1 }))
  }
  return entries
}
