/** Encoded events waiting to be uploaded, oldest first. */
export interface EventBuffer extends AsyncDisposable {
  readonly events: number
  readonly sizeBytes: number
  /** When the oldest of them was made, milliseconds since the epoch. */
  readonly oldestAtMs: number | undefined
  /** Takes the events at once; what becomes of them on a disk is the buffer's business. */
  append(events: readonly Buffer[], atMs: number): void
  /** The oldest events, one at least where there is one, up to about so many bytes. They stay. */
  peek(maxBytes: number): Promise<Batch>
  /** Forgets every event before this number. */
  remove(end: number): Promise<void>
}

export interface Batch {
  /** Number of the first event; each has the next one. */
  readonly first: number
  readonly events: readonly Buffer[]
}

export interface BufferLimits {
  readonly bytes: number
  readonly events: number
  /** Whether the oldest events make room for new ones; else whoever appends keeps to the limits. */
  readonly dropsOldest: boolean
}

export type BufferEvent =
  /** Events that made room for newer ones. */
  | { readonly type: 'overflowed'; readonly events: number }
  /** What a process left behind when it ended, taken over at a start. */
  | { readonly type: 'recovered'; readonly events: number; readonly tornBytes: number }
  /** Bytes on disk that are no events any more. */
  | { readonly type: 'damaged'; readonly events: number; readonly lostBytes: number }
  | { readonly type: 'disk_failed'; readonly cause: unknown }
  | { readonly type: 'disk_works_again' }
