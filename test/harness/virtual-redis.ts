import type { Redis } from 'ioredis'
import { type AdmissionScripts, readAdmissionScripts, redisScript } from '../../gateway/store/redis-script.ts'

const TIME = "redis.call('TIME')"
const VIRTUAL_TIME = "redis.call('HMGET', 'virtual-time', 'seconds', 'microseconds')"

/**
 * The shipped scripts, reading the time from a key instead of from the server's clock. Only their view of time
 * is virtual: keys still end in real time, so a test must use windows that are longer than it runs.
 */
export function virtualTimeScripts(): AdmissionScripts {
  const virtual = ({ lua }: { lua: string }): ReturnType<typeof redisScript> => {
    if (!lua.includes(TIME)) throw new Error('the script no longer reads TIME')
    return redisScript(lua.replace(TIME, VIRTUAL_TIME))
  }
  const { admit, settle, renew, recall } = readAdmissionScripts()
  return { admit: virtual(admit), settle: virtual(settle), renew: virtual(renew), recall: virtual(recall) }
}

export async function setVirtualTime(redis: Redis, nowMs: number): Promise<void> {
  const microseconds = Math.floor(nowMs * 1000) % 1_000_000
  await redis.hset('virtual-time', { seconds: Math.floor(nowMs / 1000), microseconds })
}
