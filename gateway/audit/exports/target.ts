/** One entry, made ready for a target. */
export interface ExportEvent {
  /** `<origin of the log>:<index>`, the same however often the entry is sent. */
  readonly id: string
  /** One line of JSON without its end. */
  readonly line: string
  /** Of the entry: RFC 3339. */
  readonly time: string
  /** Of the entry. */
  readonly type: string
  /** Whose log it is from. */
  readonly node: string
}

/** Takes entries of one log, in order. */
export interface ExportTarget extends AsyncDisposable {
  /**
   * Resolves once the target has taken all of them. Rejects otherwise, also where some were taken: they are sent again.
   *
   * @throws BatchTooLarge when fewer at once may be taken
   */
  deliver(events: readonly ExportEvent[], signal: AbortSignal): Promise<void>
}

export class BatchTooLarge extends Error {
  override readonly name = 'BatchTooLarge'
}
