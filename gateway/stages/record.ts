import type { Recorder } from '../audit/recorder.ts'
import type { Outcome, Progress, Unparsed } from '../exchange.ts'
import type { Clock } from '../lib/clock.ts'
import type { Events } from '../telemetry/events.ts'

export interface RecordDependencies {
  readonly recorder: Pick<Recorder, 'conclude' | 'concludeUnparsed'>
  readonly events: Pick<Events, 'callFinished' | 'requestUnparsed' | 'outcomeLost' | 'faulted'>
  readonly clock: Pick<Clock, 'monotonicMs'>
}

/**
 * Writes down how a call ended, whatever happened: log line, metrics, outcome entry; DESIGN §3, row 12. Never throws,
 * and waits on no signal of the client; the log gives up on a hung disk by itself, and is unhealthy from then on.
 */
export function createRecord({
  recorder,
  events,
  clock,
}: RecordDependencies): (call: Progress, outcome: Outcome) => Promise<void> {
  return async (call, outcome) => {
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
  }
}

/** The same for a request that the listener could not parse, and that so never became a call. */
export function createRecordUnparsed({
  recorder,
  events,
}: RecordDependencies): (unparsed: Unparsed) => Promise<void> {
  return async (unparsed) => {
    try {
      events.requestUnparsed(unparsed)
      await recorder.concludeUnparsed(unparsed)
    } catch (cause) {
      events.outcomeLost(unparsed.callId, cause)
    }
  }
}
