import type { Redis } from 'ioredis'
import type { ChannelStore } from './channel-store.ts'

export interface RedisChannelStoreOptions {
  /** Owned by whoever made it. */
  readonly client: Redis
  readonly keyPrefix: string
}

/** Of a fleet, in Redis, whose own clock says when something is forgotten. */
export function createRedisChannelStore({ client, keyPrefix }: RedisChannelStoreOptions): ChannelStore {
  // The hash tag of all control state.
  const place = `${keyPrefix}{control}:channels`
  const noteKey = (key: string): string => `${place}:notes:${key}`
  return {
    async claim(key, lifetimeMs) {
      return (await client.set(`${place}:claims:${key}`, '1', 'PX', lifetimeMs, 'NX')) === 'OK'
    },
    async release(key) {
      await client.del(`${place}:claims:${key}`)
    },
    async remember(key, value, lifetimeMs) {
      const answers = await client.multi().sadd(noteKey(key), value).pexpire(noteKey(key), lifetimeMs).exec()
      for (const [cause] of answers ?? [[new Error('Redis answered nothing')]]) if (cause) throw cause
    },
    recall: (key) => client.smembers(noteKey(key)),
  }
}
