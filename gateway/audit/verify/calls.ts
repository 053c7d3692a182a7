import { decodeEntry } from '../entry.ts'
import type { EpochPath } from '../read-entries.ts'

type LogName = Pick<EpochPath, 'node' | 'epoch'>

/** What an entry says of a call. */
interface Said {
  readonly kind: 'decision' | 'outcome' | 'unknown'
  readonly call: string
}

const CALL = Buffer.from('{"call":"')
const DECISION = Buffer.from('"type":"decision"')
const OUTCOME = Buffer.from('"type":"outcome"')
const UNKNOWN = Buffer.from('"outcome":"unknown"')
const QUOTE = 0x22

/**
 * What the entry says of a call; `undefined` when it speaks of something else. Most entries are read without parsing
 * them: they are canonical JSON, in which a value cannot hold the quotation marks that these searches are for.
 */
export function callOf(entry: Buffer): Said | undefined {
  if (entry.compare(CALL, 0, CALL.length, 0, Math.min(CALL.length, entry.length)) !== 0)
    return parsedCall(entry)
  const end = entry.indexOf(QUOTE, CALL.length)
  const call = entry.toString('latin1', CALL.length, end)
  if (entry.includes(DECISION, end)) return { kind: 'decision', call }
  if (entry.includes(OUTCOME, end))
    return { kind: entry.includes(UNKNOWN, end) ? 'unknown' : 'outcome', call }
  return undefined
}

function parsedCall(bytes: Buffer): Said | undefined {
  const entry = decodeEntry(bytes)
  if (entry?.type === 'decision') return { kind: 'decision', call: entry.call }
  if (entry?.type !== 'outcome') return undefined
  return { kind: entry.outcome === 'unknown' ? 'unknown' : 'outcome', call: entry.call }
}

/** A decision that has no outcome on record, and the log that holds it. */
export interface OpenCall extends LogName {
  readonly call: string
}

/** Pairs decisions with outcomes over all logs of a directory. */
export class Calls {
  readonly #open = new Map<string, LogName>()
  /** Ends that a recovery wrote into a log that was read before the one with the decision. */
  readonly #early = new Set<string>()

  take({ kind, call }: Said, log: LogName): void {
    if (kind === 'decision') {
      if (!this.#early.delete(call)) this.#open.set(call, log)
    } else if (!this.#open.delete(call) && kind === 'unknown') {
      this.#early.add(call)
    }
  }

  inDoubt(): OpenCall[] {
    return [...this.#open].map(([call, { node, epoch }]) => ({ call, node, epoch }))
  }
}
