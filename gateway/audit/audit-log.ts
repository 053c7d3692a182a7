/** The most an entry may hold, as in the entry bundles of C2SP tlog-tiles (a 16-bit length). */
export const ENTRY_LIMIT_BYTES = 65_535

/**
 * When an append counts: `flushed` once the operating system holds the bytes (survives the death of this
 * process), `strict` once they are fsynced (survives the loss of power).
 */
export type Durability = 'flushed' | 'strict'

/** Where an entry stands: the log of one process life (`epoch`), and the entry's number in it, from 0. */
export interface Position {
  readonly epoch: string
  readonly index: number
}

export interface AuditLogHealth {
  /**
   * `failed` never becomes `open` again: after a failed fsync nobody knows what the disk holds. `full` takes what
   * calls under way have left to say, in room that was kept for it; no call should be begun.
   */
  readonly state: 'open' | 'full' | 'failed' | 'sealed'
  /** Bytes accepted and not yet written. */
  readonly queuedBytes: number
  /** Why the log failed; empty otherwise. */
  readonly detail: string
}

/** An append-only log of opaque entries. */
export interface AuditLog extends AsyncDisposable {
  readonly epoch: string
  /**
   * Appends one entry of 1 to {@link ENTRY_LIMIT_BYTES} bytes; the bytes are copied before this returns. Rejects
   * with a `GatewayFault` `audit.unavailable` when the entry cannot be made durable or the queue is full.
   */
  append(entry: Uint8Array, durability: Durability): Promise<Position>
  health(): AuditLogHealth
  /** Makes everything accepted durable, marks the epoch complete and closes it. Later appends are rejected. */
  seal(): Promise<void>
}
