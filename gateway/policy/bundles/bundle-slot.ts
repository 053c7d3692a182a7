import { webcrypto } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import { BundleError } from './bundle-error.ts'
import type { BundleProblem } from './bundle-error.ts'
import type { BundleSource, OfferedBundle, SourceStatus } from './bundle-source.ts'
import type { BundlePart } from './open-bundles.ts'
import type { BundleVerification } from './signature.ts'

/** Where one of the bundles of a policy comes from, and what it is believed for. */
export interface BundleOrigin {
  readonly name: string
  readonly source: BundleSource
  readonly verification: BundleVerification | undefined
  /** Paths that its roots have to lie below; `undefined` for wherever no other bundle is. */
  readonly allowedRoots: readonly string[] | undefined
}

/** Why the newest bundle is not the one in force. */
export interface Rejection {
  readonly atMs: number
  readonly problem: BundleProblem
  readonly message: string
}

/** What is known of one bundle beside what is in it. */
export interface SlotStatus {
  readonly name: string
  readonly source: SourceStatus
  /** `undefined` until one is in force. */
  readonly sizeBytes: number | undefined
  /** When this version came into force; milliseconds since the epoch. */
  readonly activatedAtMs: number | undefined
  /** It was kept from an earlier run, and its source has not confirmed it since the start. */
  readonly kept: boolean
  /** `undefined` when the newest is in force. */
  readonly rejected: Rejection | undefined
}

/** One version of a bundle. */
export interface BundleVersion extends BundlePart {
  readonly bytes: Buffer
  /** As its source names it. */
  readonly version?: string | undefined
}

/** The place of one bundle in a set: the version in force, and the newest, which may have been refused. */
export class BundleSlot {
  readonly origin: BundleOrigin
  readonly #clock: Clock
  #newest: BundleVersion | undefined
  #inForce: BundleVersion | undefined
  #activatedAtMs: number | undefined
  #startedFrom: { readonly failure: unknown } | undefined
  #rejected: Rejection | undefined

  constructor(origin: BundleOrigin, clock: Clock) {
    this.origin = origin
    this.#clock = clock
  }

  get newest(): BundleVersion | undefined {
    return this.#newest
  }

  get inForce(): BundleVersion | undefined {
    return this.#inForce
  }

  get rejected(): Rejection | undefined {
    return this.#rejected
  }

  /** What was wrong with the newest, where the one kept from an earlier run stands in for it. */
  get startedFrom(): { readonly failure: unknown } | undefined {
    return this.#startedFrom
  }

  /** Asks the source for the newest. */
  async read(): Promise<void> {
    const offered = await this.origin.source.read()
    this.#newest = offered === undefined ? this.#inForce : await this.#versionOf(offered)
  }

  /** Puts the one kept from an earlier run in place of the newest; `false` when none was kept. */
  async useKept(failure: unknown): Promise<boolean> {
    const bytes = await this.origin.source.kept()
    if (bytes === undefined) return false
    this.#startedFrom = { failure }
    this.#newest = await this.#versionOf({ bytes })
    return true
  }

  /** Makes a version the one in force; tells whether another one was before. */
  put(version: BundleVersion): boolean {
    const other = version.digest !== this.#inForce?.digest
    this.#inForce = version
    if (other) this.#activatedAtMs = this.#clock.nowMs()
    return other
  }

  /** The version in force is the newest; tells whether a rejection is over with it. */
  confirm(): boolean {
    const wasRejected = this.#rejected !== undefined
    this.#rejected = undefined
    this.#startedFrom = undefined
    return wasRejected
  }

  reject(thrown: unknown): { readonly problem: BundleProblem; readonly error: Error } {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    const problem = thrown instanceof BundleError ? thrown.problem : 'unreadable'
    this.#rejected = { atMs: this.#clock.nowMs(), problem, message: error.message }
    return { problem, error }
  }

  status(): SlotStatus {
    return {
      name: this.origin.name,
      source: this.origin.source.status(),
      sizeBytes: this.#inForce?.bytes.length,
      activatedAtMs: this.#activatedAtMs,
      kept: this.#startedFrom !== undefined,
      rejected: this.#rejected,
    }
  }

  async #versionOf(offered: OfferedBundle): Promise<BundleVersion> {
    const { name, verification, allowedRoots } = this.origin
    // In the thread pool: a large bundle would hold calls up.
    const hash = Buffer.from(await webcrypto.subtle.digest('SHA-256', new Uint8Array(offered.bytes)))
    const digest = `sha256:${hash.toString('hex')}`
    const { offeredAtMs = this.#clock.nowMs() } = offered
    return { ...offered, name, digest, verification, allowedRoots, offeredAtMs }
  }
}
