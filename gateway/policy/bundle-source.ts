/** How an offered bundle fared: in force now, in force before, or refused with the live one kept. */
export type Taking = 'activated' | 'unchanged' | 'rejected'

/** A bundle as a source gives it, before anything has looked inside. */
export interface OfferedBundle {
  readonly bytes: Buffer
  /** What the source names this version; told back to it once the bundle is in force. */
  readonly version?: string | undefined
}

/** Where bundles come from. */
export interface BundleSource extends Disposable {
  /**
   * The newest bundle, or `undefined` when it is known to be the one in force.
   *
   * @throws BundleError `unreadable`, `service` or `archive`
   */
  read(): Promise<OfferedBundle | undefined>
  /** This bundle, which `read` gave, is in force now; `changed` tells whether another one was before. */
  taken(bundle: OfferedBundle, changed: boolean): Promise<void>
  /** The last bundle in force, kept for a start while there is no other; `undefined` when none was kept. */
  kept(): Promise<Buffer | undefined>
  /** Calls `reload` whenever there may be another bundle, until disposal. */
  follow(reload: () => Promise<Taking>): void
  status(): SourceStatus
}

export interface SourceStatus {
  readonly kind: 'file' | 'service'
  /** Path, or URL. */
  readonly location: string
  /** When the source last gave a bundle, or said that there is no other; milliseconds since the epoch. */
  readonly lastSuccessAtMs: number | undefined
}
