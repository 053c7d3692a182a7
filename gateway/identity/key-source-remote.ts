import type { IssuerConfig } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import { isFetchable } from './fetch-json.ts'
import type { FetchJson } from './fetch-json.ts'
import { readKeySet } from './key-set.ts'
import type { KeySet } from './key-set.ts'
import { holdKeys, noteFailure } from './key-source.ts'
import type { IdentityEvents, KeyHolder, KeySource } from './key-source.ts'

const MAX_BYTES = 512 * 1024
/** Between attempts while there is no key to work with: the cooldown then only lengthens an outage. */
const EMPTY_RETRY_MS = 1000

type RemoteJwks = Extract<IssuerConfig['jwks'], { readonly uri: string }>

/**
 * Keys from the issuer's key server. They are fetched again on a timer and not only when asked for: a key that the
 * issuer withdrew would otherwise be believed until somebody happened to present an unknown one.
 */
export function createRemoteKeySource(
  config: IssuerConfig,
  jwks: RemoteJwks,
  deps: { readonly clock: Clock; readonly events: IdentityEvents; readonly fetchJson: FetchJson },
): KeySource {
  if (!isFetchable(new URL(jwks.uri))) throw new TypeError(`keys cannot be fetched safely from ${jwks.uri}`)
  const { clock, events } = deps
  const holder: KeyHolder = { keys: undefined, generation: 0, failure: undefined }
  let loadedMs: number | undefined
  let triedMs = -Infinity
  let underWay: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let disposed = false

  const ageMs = (): number => (loadedMs === undefined ? Infinity : clock.monotonicMs() - loadedMs)
  const usable = (): KeySet | undefined =>
    ageMs() <= Math.max(jwks.cacheMaxAgeMs, jwks.staleIfErrorMs) ? holder.keys : undefined
  const waitMs = (): number =>
    usable() === undefined ? Math.min(jwks.cooldownMs, EMPTY_RETRY_MS) : jwks.cooldownMs

  const load = async (): Promise<void> => {
    try {
      const { timeoutMs, caFile } = jwks
      const document = await deps.fetchJson(jwks.uri, { timeoutMs, caFile, maxBytes: MAX_BYTES })
      if (disposed) return
      holdKeys(holder, readKeySet(document, config.algorithms), config.issuer, events)
      loadedMs = clock.monotonicMs()
    } catch (cause) {
      if (!disposed) noteFailure(holder, cause, config.issuer, events)
    } finally {
      underWay = undefined
      schedule()
    }
  }
  const refresh = (): Promise<void> | undefined => {
    if (underWay !== undefined) return underWay
    if (disposed || clock.monotonicMs() - triedMs < waitMs()) return undefined
    triedMs = clock.monotonicMs()
    underWay = load()
    return underWay
  }
  const schedule = (): void => {
    clearTimeout(timer)
    if (disposed) return
    const delayMs = holder.failure === undefined ? jwks.cacheMaxAgeMs : waitMs()
    timer = setTimeout(() => void (refresh() ?? schedule()), Math.max(delayMs, EMPTY_RETRY_MS)).unref()
  }
  void refresh()

  return {
    usable,
    generation: () => holder.generation,
    due: () => ageMs() > jwks.cacheMaxAgeMs,
    refresh,
    status: () => ({
      issuer: config.issuer,
      usable: usable() !== undefined,
      keys: holder.keys?.length ?? 0,
      ageMs: loadedMs === undefined ? undefined : ageMs(),
      failure: holder.failure,
    }),
    [Symbol.dispose]: () => {
      disposed = true
      clearTimeout(timer)
    },
  }
}
