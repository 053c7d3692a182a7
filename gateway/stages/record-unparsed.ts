import type { Recorder } from '../audit/recorder.ts'
import type { Unparsed } from '../exchange.ts'
import type { Events } from '../telemetry/events.ts'

export interface RecordUnparsedDependencies {
  readonly recorder: Pick<Recorder, 'concludeUnparsed'>
  readonly events: Pick<Events, 'requestUnparsed' | 'outcomeLost'>
}

/** Record, for a request that the listener could not parse and that so never became a call. Never throws. */
export function createRecordUnparsed({
  recorder,
  events,
}: RecordUnparsedDependencies): (unparsed: Unparsed) => Promise<void> {
  return async (unparsed) => {
    try {
      events.requestUnparsed(unparsed)
      await recorder.concludeUnparsed(unparsed)
    } catch (cause) {
      events.outcomeLost(unparsed.callId, cause)
    }
  }
}
