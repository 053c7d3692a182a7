import type { ExportConfig } from '../../config/export-config.ts'
import { decodeEntry, type DecisionEntry, type OutcomeEntry } from '../entry.ts'
import { ocsfDetection } from '../export/ocsf-detection.ts'
import { ocsfEvent } from '../export/ocsf.ts'
import { decisionOf } from '../index/index-writer.ts'

/** Calls under way whose intent an OCSF event of their end is filled from. */
const REMEMBERED_CALLS = 4_096

/** What a target is sent for an entry: one line of JSON, `undefined` for nothing. */
export type EventLine = (bytes: Buffer, id: string) => string | undefined

export function createEventLine(format: ExportConfig['format']): EventLine {
  return format === 'entry' ? entryLine : createOcsfLine()
}

/** The entry byte for byte, so that it can be hashed and proven. */
function entryLine(bytes: Buffer, id: string): string {
  return `{"entry":${bytes.toString('utf8')},"id":${JSON.stringify(id)}}`
}

/**
 * One event for each entry of a call (API Activity) and for each detection (Detection Finding); others have no place there. The end of a call says little by itself, so
 * its intent is remembered; after a restart in between, the two have `correlation_uid` in common and nothing else.
 */
function createOcsfLine(): EventLine {
  const intents = new Map<string, DecisionEntry>()
  return (bytes, id) => {
    const entry = decodeEntry(bytes)
    if (entry?.type === 'detection') return JSON.stringify(ocsfDetection(entry, id))
    if (entry?.type !== 'decision' && entry?.type !== 'outcome') return undefined
    if (entry.type === 'decision') remember(intents, entry)
    const decision = entry.type === 'decision' ? entry : intents.get(entry.call)
    const outcome = entry.type === 'outcome' ? entry : undefined
    const event = ocsfEvent({ found: foundIn(entry, decision), decision, outcome }, id)
    return event && JSON.stringify(event)
  }
}

function remember(intents: Map<string, DecisionEntry>, entry: DecisionEntry): void {
  intents.delete(entry.call)
  intents.set(entry.call, entry)
  if (intents.size <= REMEMBERED_CALLS) return
  for (const oldest of intents.keys()) {
    intents.delete(oldest)
    return
  }
}

function foundIn(entry: DecisionEntry | OutcomeEntry, decision: DecisionEntry | undefined) {
  return {
    call: entry.call,
    timeMs: Date.parse(entry.time),
    operation: (decision ?? entry).what?.operation ?? '',
    // An end that does not say follows an intent, which only calls have that were allowed.
    decision: decision?.decision ?? decisionOf(entry) ?? 'allow',
  }
}
