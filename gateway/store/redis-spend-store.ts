import { once } from '../lib/once.ts'
import { UNAVAILABLE_RETRY_MS } from './admission-store.ts'
import { loadScripts, readSpendScripts, runScript } from './redis-script.ts'
import type { SharedClientOptions } from './shared-client.ts'
import {
  DAY_SPEND_TTL_MS,
  MOST_MINOR,
  type SpendAnswer,
  type SpendDemand,
  type SpendStore,
  TASK_SPEND_TTL_MS,
} from './spend-store.ts'

/**
 * Spend counted by a whole fleet in Redis: one EVALSHA before policy, and one after the reply that nobody waits for. A sum whose
 * settlement is lost stays counted.
 */
export function createRedisSpendStore(options: SharedClientOptions): SpendStore {
  const { client, keyPrefix, isUp, onSettlementLost = () => {} } = options
  const scripts = readSpendScripts()
  loadScripts(client, Object.values(scripts))

  const keysOf = ({ tag, agent, day, task }: SpendDemand): string[] => {
    const ofDay = `${keyPrefix}${tag}:s:${agent}:${day}`
    return [ofDay, task === '' ? ofDay : `${keyPrefix}${tag}:b:${agent}:${task}`]
  }

  const settle = (demand: SpendDemand, end: 'kept' | 'released'): void => {
    const args = [demand.callId, demand.currency, demand.task === '' ? 0 : 1, end === 'released' ? 1 : 0]
    runScript(client, scripts.settle, keysOf(demand), args).catch(onSettlementLost)
  }

  const reserve = async (demand: SpendDemand): Promise<SpendAnswer> => {
    const { callId, currency, minor, task } = demand
    const counted = [callId, currency, minor, task === '' ? 0 : 1]
    const bounds = [MOST_MINOR, DAY_SPEND_TTL_MS, TASK_SPEND_TTL_MS]
    const reply = await runScript(client, scripts.reserve, keysOf(demand), [...counted, ...bounds])
    const [dayMinor, taskMinor] = readSums(reply)
    return { kind: 'reserved', dayMinor, taskMinor, settle: once((end) => settle(demand, end)) }
  }

  return {
    reserve: (demand) => {
      if (!isUp()) return unavailable(new Error('the store is down'))
      return reserve(demand).catch((cause: unknown) => {
        // An answer that came too late may have been a yes; what comes after it on the same connection takes it back.
        settle(demand, 'released')
        return unavailable(cause)
      })
    },
  }
}

function readSums(reply: unknown): [number, number] {
  const [day, task] = Array.isArray(reply) ? (reply as readonly unknown[]).map(Number) : []
  if (!Number.isSafeInteger(day) || !Number.isSafeInteger(task))
    throw new TypeError('the sum is too large to be exact, or spend-reserve.lua did not answer with two sums')
  return [day as number, task as number]
}

function unavailable(cause: unknown): SpendAnswer {
  return { kind: 'unavailable', retryAfterMs: UNAVAILABLE_RETRY_MS, cause }
}
