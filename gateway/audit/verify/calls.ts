import { decodeEntry } from '../entry.ts'
import type { EpochPath } from '../read-entries.ts'

type LogName = Pick<EpochPath, 'node' | 'epoch'>

/** What an entry says of a call. */
interface Said {
  readonly kind: 'decision' | 'outcome' | 'unknown'
  readonly call: string
}

const CALL = Buffer.from('{"call":"')
/** What follows the id of the call in decisions alone, and in ends that a recovery wrote. */
const CREDENTIAL = Buffer.from('","credential":')
const EPOCH = Buffer.from('","epoch":')
const TYPE = Buffer.from('"type":"')
const DECISION = Buffer.from('decision"')
const OUTCOME = Buffer.from('outcome"')
const UNKNOWN = Buffer.from('"outcome":"unknown"')
const QUOTE = 0x22

/**
 * What the entry says of a call; `undefined` when it speaks of something else. Most entries are read without parsing
 * them: they are canonical JSON, in which a value cannot hold the quotation marks that these searches are for.
 */
export function callOf(entry: Buffer): Said | undefined {
  if (!isAt(entry, CALL, 0)) return parsedCall(entry)
  const end = entry.indexOf(QUOTE, CALL.length)
  const call = entry.toString('latin1', CALL.length, end)
  if (isAt(entry, CREDENTIAL, end)) return { kind: 'decision', call }
  const type = typeAt(entry)
  if (isAt(entry, DECISION, type)) return { kind: 'decision', call }
  if (!isAt(entry, OUTCOME, type)) return undefined
  // Only what a recovery wrote names the epoch of the decision.
  return { kind: isAt(entry, EPOCH, end) && entry.includes(UNKNOWN, end) ? 'unknown' : 'outcome', call }
}

/** Where the type begins, looked for from the end, to which it is near; the length of the entry when it has none. */
function typeAt(entry: Buffer): number {
  for (let at = entry.length - TYPE.length; at > 0; at--) {
    if (entry[at] === QUOTE && isAt(entry, TYPE, at)) return at + TYPE.length
  }
  return entry.length
}

function isAt(entry: Buffer, wanted: Buffer, at: number): boolean {
  // A dozen bytes: a call into Node's own comparison costs more than they do.
  for (let index = 0; index < wanted.length; index++) if (entry[at + index] !== wanted[index]) return false
  return true
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
