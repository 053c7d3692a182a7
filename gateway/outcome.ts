import type { Decided } from './exchange.ts'
import type { Findings } from './detectors/findings.ts'
import type { DecidedBy, Reason, RefusalCode } from './refusal.ts'

/**
 * How a call ended. `allowed` means the upstream's answer was relayed whole, whatever its status;
 * `answered` that the gateway itself was asked; the other non-refusals say where the stream broke after the header section
 * was out.
 */
export type OutcomeCode = RefusalCode | 'allowed' | 'answered' | 'client.gone' | 'upstream.truncated'

export interface Outcome {
  readonly code: OutcomeCode
  /** Status sent to the caller; 0 when none could be. */
  readonly status: number
  readonly upstreamStatus: number
  readonly upstreamMs: number
  /** Bytes of body sent to the caller. */
  readonly replyBytes: number
  /** Hex SHA-256 of the body relayed; empty when none was. */
  readonly replyDigest: string
  readonly reasons: readonly Reason[]
  readonly detail: string
  readonly cause: unknown
  /** Values of the answer that were redacted; absent where policy demanded nothing of an answer, or none was begun. */
  readonly redacted?: number
  /** Names of what the detectors found in the answer; absent where they did not look. */
  readonly findings?: Findings
  /** Ids of the obligations that were carried out. */
  readonly obligations?: readonly string[]
  /** The policy that refused; a call that it allowed carries its decision itself. */
  readonly decidedBy?: DecidedBy | undefined
}

/**
 * What policy made of the call last, and on which input. A call that waited for people carries the decision that held it,
 * and what it was refused by is another one, made later and perhaps by another policy.
 */
export function lastDecision(
  { policy, decision, input }: Partial<Pick<Decided, 'policy' | 'decision' | 'input'>>,
  { decidedBy }: Pick<Outcome, 'decidedBy'>,
): DecidedBy | undefined {
  if (decidedBy !== undefined || policy === undefined) return decidedBy
  return {
    ...policy,
    ...(decision && { risk: decision.risk, reported: decision.reported }),
    ...(input && { input }),
  }
}
