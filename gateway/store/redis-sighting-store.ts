import type { Redis } from 'ioredis'
import type { Clock } from '../lib/clock.ts'
import { QuietSubjects } from './quiet-subjects.ts'
import { loadScripts, readSightingScript, runScript } from './redis-script.ts'
import type { SightingAnswer, SightingKey, SightingStore } from './sighting-store.ts'

export interface RedisSightingOptions {
  /** Owned by the admission store. */
  readonly client: Redis
  readonly keyPrefix: string
  /** Of this process, for while Redis is away. */
  readonly local: SightingStore
  readonly clock: Pick<Clock, 'monotonicMs'>
}

/** Sightings of a whole fleet in Redis; each process counts alone while that is away, and a detection is not lost. */
export function createRedisSightingStore(options: RedisSightingOptions): SightingStore {
  const { client, keyPrefix, local, clock } = options
  const script = readSightingScript()
  loadScripts(client, [script])
  const quiet = new QuietSubjects()
  const keyOf = (kind: 'd' | 'w', { tag, name }: SightingKey): string => `${keyPrefix}${tag}:${kind}:${name}`
  return {
    async see(key, bounds) {
      const subject = keyOf('d', key)
      const askedMs = clock.monotonicMs()
      if (quiet.swallow(subject, askedMs)) return { kind: 'counted' }
      const { threshold, windowMs } = bounds
      const missed = quiet.missed(subject, askedMs)
      try {
        const seen = readSeen(await runScript(client, script, [subject], [threshold, windowMs, missed]))
        quiet.told(subject, askedMs, missed)
        // Counted from when it was asked: never quiet for longer than the store is.
        quiet.hush(subject, askedMs, { forMs: seen.quietMs, keptForMs: windowMs })
        return seen.answer
      } catch {
        return local.see(key, bounds)
      }
    },
    async first(key, value, ttlMs) {
      try {
        const known = await client.set(keyOf('w', key), value, 'PX', ttlMs, 'NX', 'GET')
        return known ?? value
      } catch {
        return local.first(key, value, ttlMs)
      }
    },
  }
}

/** @throws TypeError for what the script does not answer */
function readSeen(reply: unknown): { readonly answer: SightingAnswer; readonly quietMs: number } {
  const [raised, quietMs, count, suppressed] = (Array.isArray(reply) ? reply : []).map(Number)
  if (raised === 0 && quietMs !== undefined) return { answer: { kind: 'counted' }, quietMs }
  if (raised !== 1 || quietMs === undefined || count === undefined || suppressed === undefined)
    throw new TypeError('sighting-see.lua did not answer as it should')
  return { answer: { kind: 'raised', count, suppressed }, quietMs }
}
