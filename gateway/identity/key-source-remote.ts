import type { IssuerConfig } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import { isFetchable } from './fetch-json.ts'
import type { FetchJson } from './fetch-json.ts'
import { readKeySet } from './key-set.ts'
import type { KeySet } from './key-set.ts'
import { holdKeys, noteFailure } from './key-source.ts'
import type { IdentityEvents, KeyHolder, KeySource, KeyStatus } from './key-source.ts'

const MAX_BYTES = 512 * 1024
/** Between attempts while there is no key to work with: the cooldown then only lengthens an outage. */
const EMPTY_RETRY_MS = 1000

type RemoteJwks = Extract<IssuerConfig['jwks'], { readonly uri: string }>

interface RemoteDependencies {
  readonly clock: Clock
  readonly events: IdentityEvents
  readonly fetchJson: FetchJson
}

/**
 * Keys from the issuer's key server. They are fetched again on a timer and not only when asked for: a key that the
 * issuer withdrew would otherwise be believed until somebody happened to present an unknown one.
 */
export class RemoteKeySource implements KeySource {
  readonly #config: IssuerConfig
  readonly #jwks: RemoteJwks
  readonly #deps: RemoteDependencies
  readonly #holder: KeyHolder = { keys: undefined, generation: 0, failure: undefined }
  #loadedMs: number | undefined
  #triedMs = -Infinity
  #underWay: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #disposed = false

  /** Begins to fetch at once. Throws when nothing may be fetched from the address. */
  constructor(config: IssuerConfig, jwks: RemoteJwks, deps: RemoteDependencies) {
    if (!isFetchable(new URL(jwks.uri))) throw new TypeError(`keys cannot be fetched safely from ${jwks.uri}`)
    this.#config = config
    this.#jwks = jwks
    this.#deps = deps
    void this.refresh()
  }

  usable(): KeySet | undefined {
    const { cacheMaxAgeMs, staleIfErrorMs } = this.#jwks
    return this.#ageMs() <= Math.max(cacheMaxAgeMs, staleIfErrorMs) ? this.#holder.keys : undefined
  }

  generation(): number {
    return this.#holder.generation
  }

  due(): boolean {
    return this.#ageMs() > this.#jwks.cacheMaxAgeMs
  }

  refresh(): Promise<void> | undefined {
    if (this.#underWay !== undefined) return this.#underWay
    const nowMs = this.#deps.clock.monotonicMs()
    if (this.#disposed || nowMs - this.#triedMs < this.#cooldownMs()) return undefined
    this.#triedMs = nowMs
    this.#underWay = this.#load()
    return this.#underWay
  }

  status(): KeyStatus {
    return {
      issuer: this.#config.issuer,
      usable: this.usable() !== undefined,
      keys: this.#holder.keys?.length ?? 0,
      ageMs: this.#loadedMs === undefined ? undefined : this.#ageMs(),
      failure: this.#holder.failure,
    }
  }

  [Symbol.dispose](): void {
    this.#disposed = true
    clearTimeout(this.#timer)
  }

  async #load(): Promise<void> {
    const { issuer, algorithms } = this.#config
    const { clock, events, fetchJson } = this.#deps
    try {
      const { uri, timeoutMs, caFile } = this.#jwks
      const document = await fetchJson(uri, { timeoutMs, caFile, maxBytes: MAX_BYTES })
      if (this.#disposed) return
      holdKeys(this.#holder, readKeySet(document, algorithms), issuer, events)
      this.#loadedMs = clock.monotonicMs()
    } catch (cause) {
      if (!this.#disposed) noteFailure(this.#holder, cause, issuer, events)
    } finally {
      this.#underWay = undefined
      this.#schedule()
    }
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    if (this.#disposed) return
    const delayMs = this.#holder.failure === undefined ? this.#jwks.cacheMaxAgeMs : this.#cooldownMs()
    const again = (): void => void (this.refresh() ?? this.#schedule())
    this.#timer = setTimeout(again, Math.max(delayMs, EMPTY_RETRY_MS)).unref()
  }

  #cooldownMs(): number {
    const { cooldownMs } = this.#jwks
    return this.usable() === undefined ? Math.min(cooldownMs, EMPTY_RETRY_MS) : cooldownMs
  }

  #ageMs(): number {
    return this.#loadedMs === undefined ? Infinity : this.#deps.clock.monotonicMs() - this.#loadedMs
  }
}
