import type { Clock } from '../lib/clock.ts'
import type { Group } from './group.ts'
import type { LogDisk } from './log-disk.ts'

export interface WriteAheadLogOptions {
  /** Directory of this epoch; it exists and belongs to this process alone. */
  readonly directory: string
  readonly epoch: string
  /** A new segment is begun when this one has so many bytes; the last write may go over. */
  readonly segmentLimitBytes: number
  /** Most bytes accepted and not yet written, 32 MiB unless told; appends beyond are rejected. */
  readonly queueLimitBytes?: number
  /** How soon entries that nobody waits for are fsynced, 200 unless told. */
  readonly syncIntervalMs?: number
  /** A write or fsync that takes longer counts as failed, 10,000 unless told: no call waits on a hung disk. */
  readonly stallMs?: number
  readonly disk?: LogDisk
  readonly clock?: Clock
  /** Entries to repeat at the head of each new segment, so that recovery reads the last one only. */
  readonly carry?: () => readonly Uint8Array[]
  /** Frees what is kept for a full disk; false when there is nothing left to free. The log is `full` from then on. */
  readonly makeRoom?: () => Promise<boolean>
  /** Entries that are in the file, in order; called once the waiting ones are told and the fsync is under way. */
  readonly onWritten?: (group: Group) => void
  readonly onSync?: (durationMs: number) => void
  readonly onFailure?: (cause: unknown) => void
}
