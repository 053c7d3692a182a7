/** What verification finds wrong, by name; each is told in words in README.md beside the log. */
export type ProblemCode =
  /** A frame of the write-ahead log is not what was written. */
  | 'frame.changed'
  /** Whole frames of another log, or in another order. */
  | 'segment.foreign'
  | 'segment.missing'
  /** An entry is sound as a frame and is not the one that was signed. */
  | 'entry.changed'
  /** Fewer entries than were signed, or than the seal counts. */
  | 'entries.missing'
  | 'bundle.changed'
  | 'bundle.missing'
  | 'tile.changed'
  | 'tile.missing'
  | 'checkpoint.missing'
  | 'checkpoint.malformed'
  | 'checkpoint.unsigned'
  /** Signed, and of another log than the one whose directory it lies in. */
  | 'checkpoint.foreign'
  /** Signed, and not the root of the entries that are there. */
  | 'checkpoint.mismatch'
  /** The log has ended and not everything in it is signed. */
  | 'checkpoint.behind'
  | 'file.unexpected'
  /** A fleet log has no checkpoint that enough of the given witnesses cosigned. */
  | 'cosignature.missing'
  | 'key.malformed'
  /** The first, or the last, entry is not what an epoch begins, or ends, with. */
  | 'order.start'
  | 'order.stop'
  | 'order.seal'
  /** The log was committed to elsewhere and is not there. */
  | 'log.missing'
  /** The log was committed to elsewhere at a greater size. */
  | 'log.rolled_back'
  /** The log was committed to elsewhere with other entries. */
  | 'log.rewritten'
  /** The log is neither sealed nor recovered, and was to be. */
  | 'log.open'
  /** Marked as recovered, and no start has that on record; or the other way round. */
  | 'recovery.missing'
  | 'recovery.unfinished'
  /** A call that a recovery should have given an end has none. */
  | 'outcome.missing'

export interface Problem {
  readonly code: ProblemCode
  /** Below the audit directory. */
  readonly file: string
  /** First byte that is wrong; 0 for the file as a whole. */
  readonly offset: number
  readonly detail: string
}

/** Collects what is wrong with the files of one audit directory. */
export class Problems {
  readonly #found: Problem[] = []

  add(code: ProblemCode, file: string, offset: number, detail: string): void {
    this.#found.push({ code, file, offset, detail })
  }

  get found(): readonly Problem[] {
    return this.#found
  }
}

/** Index of the first byte in which the two differ; the shorter one's length when it is how the other begins. */
export function firstDifference(one: Buffer, other: Buffer): number {
  const length = Math.min(one.length, other.length)
  for (let at = 0; at < length; at++) if (one[at] !== other[at]) return at
  return length
}
