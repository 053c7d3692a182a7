import { decodeEntry, type AuditEntry } from '../entry.ts'
import type { EpochPath } from '../read-entries.ts'
import { parseCheckpoint } from '../tlog/checkpoint.ts'
import { isSignedBy } from '../tlog/note.ts'
import { callOf } from './calls.ts'
import type { VerifyContext } from './verify-log.ts'
import type { WalReport } from './read-wal.ts'

/** Reads the entries of one log for what they say: of calls, of other logs, and of how this one begins and ends. */
export class EntryReader {
  readonly #path: EpochPath
  readonly #place: string
  readonly #context: VerifyContext
  #stopIndex: number | undefined

  constructor(path: EpochPath, place: string, context: VerifyContext) {
    this.#path = path
    this.#place = place
    this.#context = context
  }

  take(bytes: Buffer, index: number): void {
    const said = callOf(bytes)
    if (said !== undefined) this.#context.calls.take(said, this.#path)
    if (said === undefined || index === 0) this.#takeOther(decodeEntry(bytes), index)
  }

  /** Call when there are no more entries. */
  end({ sealed, entries, isWhole }: WalReport): void {
    if (this.#stopIndex !== undefined && this.#stopIndex !== entries - 1) {
      this.#problem('order.stop', `entry ${String(this.#stopIndex)} says that the log ends with it`)
    }
    if (sealed && isWhole && entries > 0 && this.#stopIndex === undefined) {
      this.#problem('order.stop', 'the log is sealed and does not end with a stop entry')
    }
  }

  #takeOther(entry: AuditEntry | undefined, index: number): void {
    if ((entry?.type === 'start') !== (index === 0)) {
      this.#problem('order.start', `entry ${String(index)} is ${entry?.type ?? 'none of ours'}`)
    }
    switch (entry?.type) {
      case 'start':
        if (entry.node !== this.#path.node || entry.epoch !== this.#path.epoch)
          this.#problem('order.start', `the log begins as ${entry.node}/${entry.epoch}`)
        break
      case 'stop':
        this.#stopIndex = index
        break
      case 'recovery':
        this.#context.recovered.set(`${entry.node}/${entry.epoch}`, entry.sealed)
        break
      case 'prune':
        for (const log of entry.logs) this.#context.pruned.set(`${log.node}/${log.epoch}`, log)
        break
      case 'checkpoint':
        this.#takeCheckpoint(entry.note, index)
        break
      default:
    }
  }

  #takeCheckpoint(note: string, index: number): void {
    const { keys, commitments } = this.#context
    const checkpoint = parseCheckpoint(note)
    const source = `entry ${String(index)} of ${this.#place}`
    if (checkpoint === undefined || !isSignedBy(checkpoint.note, keys)) {
      this.#problem('checkpoint.unsigned', `${source} holds a checkpoint that none of the keys signed`)
    } else {
      commitments.add(checkpoint, source, this.#place)
    }
  }

  #problem(code: 'order.start' | 'order.stop' | 'checkpoint.unsigned', detail: string): void {
    this.#context.problems.add(code, this.#place, 0, detail)
  }
}
