import type { Reviews } from '../approvals/reviews.ts'
import type { Recorder } from '../audit/recorder.ts'
import type { Detections } from '../detections/detections.ts'
import type { Progress } from '../exchange.ts'
import type { Outcome } from '../outcome.ts'
import type { Clock } from '../lib/clock.ts'
import type { Notify } from '../notify/event.ts'
import { policyNotice } from '../notify/policy-notice.ts'
import { obligationResult } from '../policy/obligation-result.ts'
import type { Events } from '../telemetry/events.ts'
import type { PartEvents } from '../telemetry/part-events.ts'

export interface RecordDependencies {
  readonly recorder: Pick<Recorder, 'conclude'>
  readonly events: Pick<Events, 'callFinished' | 'outcomeLost' | 'faulted'> &
    Pick<PartEvents, 'obligationEnded'>
  readonly notify: Notify
  readonly detections: Pick<Detections, 'callEnded'>
  readonly reviews: Pick<Reviews, 'withdraw'>
  readonly clock: Pick<Clock, 'monotonicMs' | 'nowMs'>
}

/**
 * Writes down how a call ended, whatever happened: log line, metrics, outcome entry; DESIGN §3, row 12. Never throws,
 * and waits on no signal of the client; the log gives up on a hung disk by itself, and is unhealthy from then on.
 */
export function createRecord({
  recorder,
  events,
  notify,
  detections,
  reviews,
  clock,
}: RecordDependencies): (call: Progress, outcome: Outcome, attempted: boolean) => Promise<void> {
  return async (call, sent, attempted) => {
    if (!attempted && call.review !== undefined) reviews.withdraw(call.review)
    const outcome = attempted ? withObligations(call, sent, { events, notify, clock }) : sent
    try {
      events.callFinished(call, outcome, clock.monotonicMs() - call.arrival.startedMs)
    } catch (cause) {
      events.faulted(cause)
    }
    try {
      await recorder.conclude(call, outcome)
    } catch (cause) {
      events.outcomeLost(call.arrival.callId, cause)
    }
    try {
      detections.callEnded({ call, outcome, attempted })
    } catch (cause) {
      events.faulted(cause)
    }
  }
}

/** Tells whom policy wants told, and what became of all that it demanded; no call comes here twice. */
function withObligations(
  call: Progress,
  outcome: Outcome,
  { events, notify, clock }: Pick<RecordDependencies, 'events' | 'notify' | 'clock'>,
): Outcome {
  const met: string[] = []
  for (const obligation of call.decision?.obligations ?? []) {
    const result = obligationResult(obligation, outcome)
    try {
      events.obligationEnded(call, outcome, obligation, result)
      const notice = policyNotice(call, outcome, obligation, clock.nowMs())
      if (notice !== undefined) notify(notice)
      if (result === 'met') met.push(obligation.id)
    } catch (cause) {
      events.faulted(cause)
    }
  }
  return met.length === 0 ? outcome : { ...outcome, obligations: met }
}
