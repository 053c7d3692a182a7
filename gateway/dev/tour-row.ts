import type { CallVerdict } from './verdict.ts'
import { reasonText } from './verdict.ts'

/** One thing that was tried, and what became of it. */
export interface TourRow {
  readonly tried: string
  readonly decision: string
  readonly status: number
  readonly reason: string
  /** Empty for what was asked of the admin listener. */
  readonly callId: string
  /** What it should have been; empty when it was. */
  readonly difference: string
}

export function rowOf(tried: string, verdict: CallVerdict, difference: string): TourRow {
  const { decision, status, callId } = verdict
  return { tried, decision: decision ?? 'none', status, reason: reasonText(verdict), callId, difference }
}
