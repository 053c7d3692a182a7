/** How an offered bundle fared: in force now, in force before, or refused with the live one kept. */
export type Taking = 'activated' | 'unchanged' | 'rejected'

/** A bundle as a source gives it, before anything has looked inside. */
export interface OfferedBundle {
  readonly bytes: Buffer
  /** What the source names this version; told back to it once the bundle is in force. */
  readonly version?: string | undefined
  /** When it was first offered, where that was not now; milliseconds since the epoch. */
  readonly offeredAtMs?: number
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

/** Times are milliseconds since the epoch, and `undefined` until there is one. */
export interface SourceStatus {
  /** `live`: what the live policy has. */
  readonly kind: 'file' | 'service' | 'live'
  /** Path, URL, or name of the bundle. */
  readonly location: string
  /** When the source was last asked. */
  readonly lastRequestAtMs: number | undefined
  /** When the source last gave a bundle, or said that there is no other. */
  readonly lastSuccessAtMs: number | undefined
  /** When the source last gave a bundle. */
  readonly lastDownloadAtMs: number | undefined
  /** What a service answered last; `undefined` for a file, and after a request without an answer. */
  readonly httpStatus: number | undefined
}

/** Notes down for the status how the requests to one source fare. */
export class SourceHistory {
  readonly #nowMs: () => number
  #lastRequestAtMs: number | undefined
  #lastSuccessAtMs: number | undefined
  #lastDownloadAtMs: number | undefined
  #httpStatus: number | undefined

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  asked(): void {
    this.#lastRequestAtMs = this.#nowMs()
  }

  answered(gaveBundle: boolean, httpStatus?: number): void {
    this.#lastSuccessAtMs = this.#nowMs()
    if (gaveBundle) this.#lastDownloadAtMs = this.#lastSuccessAtMs
    this.#httpStatus = httpStatus
  }

  failed(httpStatus: number | undefined): void {
    this.#httpStatus = httpStatus
  }

  times(): Omit<SourceStatus, 'kind' | 'location'> {
    return {
      lastRequestAtMs: this.#lastRequestAtMs,
      lastSuccessAtMs: this.#lastSuccessAtMs,
      lastDownloadAtMs: this.#lastDownloadAtMs,
      httpStatus: this.#httpStatus,
    }
  }
}
