import type { Access } from '../catalog/connector.ts'
import type { OutcomeCode } from '../outcome.ts'
import { isHold, REFUSALS } from '../refusal.ts'

/** Label of a call that did not get as far as having the thing. */
export const NONE = 'none'

export type AccessLabel = Access | typeof NONE
export type DecisionLabel = 'allow' | 'deny' | 'hold'

/** What admission made of a call; the refusals among them keep their code. */
export type LimiterVerdict = 'admitted' | (typeof LIMITER_REFUSALS)[number]

export const LIMITER_REFUSALS = [
  'limit.rate',
  'limit.quota',
  'limit.concurrency',
  'breaker.upstream_open',
  'breaker.agent_open',
  'store.unavailable',
] as const satisfies readonly OutcomeCode[]

const NOT_REFUSALS = [
  'allowed',
  'answered',
  'client.gone',
  'upstream.truncated',
] as const satisfies readonly OutcomeCode[]

export const OUTCOME_CODES: ReadonlySet<string> = new Set<string>([...Object.keys(REFUSALS), ...NOT_REFUSALS])

/** What the caller was told in `Toolgate-Decision`. */
export function decisionOf(code: OutcomeCode): DecisionLabel {
  if (isHold(code)) return 'hold'
  return NOT_REFUSALS.some((relayed) => relayed === code) ? 'allow' : 'deny'
}

export function isLimiterRefusal(code: OutcomeCode): code is (typeof LIMITER_REFUSALS)[number] {
  return LIMITER_REFUSALS.some((refusal) => refusal === code)
}

/**
 * Holds a label to its closed set. A value from outside is a mistake in the program, and a dangerous one: were it
 * something that callers choose, they could grow the metrics until the process dies.
 */
export function closedLabel(allowed: ReadonlySet<string>, value: string): string {
  if (!allowed.has(value)) throw new TypeError(`not a value of this label: ${value.slice(0, 64)}`)
  return value
}
