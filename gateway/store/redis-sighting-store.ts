import type { Redis } from 'ioredis'
import { loadScripts, readSightingScript, runScript } from './redis-script.ts'
import type { SightingKey, SightingStore } from './sighting-store.ts'

export interface RedisSightingOptions {
  /** Owned by the admission store. */
  readonly client: Redis
  readonly keyPrefix: string
  /** Of this process, for while Redis is away. */
  readonly local: SightingStore
}

/** Sightings of a whole fleet in Redis; each process counts alone while that is away, and a detection is not lost. */
export function createRedisSightingStore({ client, keyPrefix, local }: RedisSightingOptions): SightingStore {
  const script = readSightingScript()
  loadScripts(client, [script])
  const keyOf = (kind: 'd' | 'w', { tag, name }: SightingKey): string => `${keyPrefix}${tag}:${kind}:${name}`
  return {
    async see(key, bounds) {
      try {
        const reply = await runScript(client, script, [keyOf('d', key)], [bounds.threshold, bounds.windowMs])
        const [raised, count, suppressed] = (Array.isArray(reply) ? reply : []).map(Number)
        if (raised === 0) return { kind: 'counted' }
        if (raised !== 1 || count === undefined || suppressed === undefined)
          throw new TypeError('sighting-see.lua did not answer as it should')
        return { kind: 'raised', count, suppressed }
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
