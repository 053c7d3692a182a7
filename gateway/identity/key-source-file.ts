import { readFileSync } from 'node:fs'
import type { IssuerConfig } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import { parseStrictJson } from '../lib/strict-json.ts'
import { fingerprintOf, watchFile } from '../lib/watch-file.ts'
import { readKeySet } from './key-set.ts'
import { holdKeys, noteFailure } from './key-source.ts'
import type { IdentityEvents, KeyHolder, KeySource } from './key-source.ts'

const MAX_DEPTH = 16

/** Keys from a file that someone else replaces; a broken one leaves the last good keys in use. */
export function createFileKeySource(
  config: IssuerConfig,
  path: string,
  { clock, events }: { readonly clock: Clock; readonly events: IdentityEvents },
): KeySource {
  const holder: KeyHolder = { keys: undefined, generation: 0, failure: undefined }
  let loadedMs: number | undefined
  const load = (): void => {
    try {
      const reading = parseStrictJson(readFileSync(path), MAX_DEPTH)
      if (!reading.ok) throw new TypeError(`the key file cannot be used: ${reading.reason}`)
      holdKeys(holder, readKeySet(reading.value, config.algorithms), config.issuer, events)
      loadedMs = clock.monotonicMs()
    } catch (cause) {
      noteFailure(holder, cause, config.issuer, events)
    }
  }
  const seen = fingerprintOf(path)
  load()
  const watcher = watchFile(path, load, { seen })

  return {
    usable: () => holder.keys,
    generation: () => holder.generation,
    due: () => false,
    refresh: () => undefined,
    status: () => ({
      issuer: config.issuer,
      usable: holder.keys !== undefined,
      keys: holder.keys?.length ?? 0,
      ageMs: loadedMs === undefined ? undefined : clock.monotonicMs() - loadedMs,
      failure: holder.failure,
    }),
    [Symbol.dispose]: () => watcher[Symbol.dispose](),
  }
}
