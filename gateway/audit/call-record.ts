import type { Disclosure, DisclosureReader } from './disclosures/disclosure-reader.ts'
import { decodeEntry, type AuditEntry, type DecisionEntry, type OutcomeEntry } from './entry.ts'
import type { AuditIndex } from './index/audit-index.ts'
import type { IndexedPosition } from './index/index-writer.ts'
import type { FoundCall } from './index/search-calls.ts'
import { hasCode } from './log-disk.ts'
import { readEntryAt } from './read-frames.ts'

/** Everything on record about one call. */
export interface CallRecord {
  readonly found: FoundCall
  readonly decision: DecisionEntry | undefined
  readonly outcome: OutcomeEntry | undefined
  readonly disclosure: Disclosure
}

/** The entry that carries who, what and why: the intent, or the end of a call that never had one. */
export function mainEntry({
  decision,
  outcome,
}: Pick<CallRecord, 'decision' | 'outcome'>): DecisionEntry | OutcomeEntry | undefined {
  return decision ?? outcome
}

/** Reads a call's entries from the log itself: the index only says where they are. */
export async function readCallRecord(
  { index, disclosures }: { readonly index: AuditIndex; readonly disclosures: DisclosureReader },
  found: FoundCall,
): Promise<CallRecord> {
  let decision: DecisionEntry | undefined
  let outcome: OutcomeEntry | undefined
  for (const at of found.entries) {
    const entry = readIndexed(index, at)
    if (entry === undefined) continue
    if (!('call' in entry) || entry.call !== found.call) throw new StaleIndex()
    if (entry.type === 'decision') decision = entry
    else if (entry.type === 'outcome') outcome = entry
  }
  const main = decision ?? outcome
  const none: Disclosure = { state: 'none', values: new Map(), texts: new Map() }
  return { found, decision, outcome, disclosure: main ? await disclosures.read(main) : none }
}

/** The entry at a position of the index; `undefined` when its segment has been pruned. */
export function readIndexed(index: AuditIndex, at: IndexedPosition): AuditEntry | undefined {
  let bytes: Buffer | undefined
  try {
    bytes = readEntryAt(index.segmentPath(at), at.offset)
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return undefined
    throw cause
  }
  const entry = bytes && decodeEntry(bytes)
  if (entry === undefined) throw new StaleIndex()
  return entry
}

class StaleIndex extends Error {
  override readonly name = 'StaleIndex'

  constructor() {
    super(
      'the index does not match the log: delete it, it is made anew; and let toolgate audit verify look at the log',
    )
  }
}
