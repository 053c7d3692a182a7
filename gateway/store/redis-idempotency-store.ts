import { once } from '../lib/once.ts'
import { UNAVAILABLE_RETRY_MS } from './admission-store.ts'
import { type IdempotencyStore, KEY_TTL_MS, type KeyAnswer, type KeyUse } from './idempotency-store.ts'
import { loadScripts, readIdempotencyScripts, runScript } from './redis-script.ts'
import type { SharedClientOptions } from './shared-client.ts'

/**
 * Keys of a whole fleet in Redis: one EVALSHA before policy, and one after the reply that nobody waits for. A key whose
 * settlement is lost stays in flight for a day.
 */
export function createRedisIdempotencyStore(options: SharedClientOptions): IdempotencyStore {
  const { client, keyPrefix, isUp, onSettlementLost = () => {} } = options
  const scripts = readIdempotencyScripts()
  loadScripts(client, Object.values(scripts))

  const placeOf = ({ tag, agent, key }: KeyUse): string => `${keyPrefix}${tag}:k:${agent}:${key}`

  const settle = (use: KeyUse, end: 'done' | 'released'): void => {
    const args = [use.callId, end === 'done' ? 1 : 0, KEY_TTL_MS]
    runScript(client, scripts.settle, [placeOf(use)], args).catch(onSettlementLost)
  }

  const claim = async (use: KeyUse): Promise<KeyAnswer> => {
    const args = [use.fingerprint, use.callId, KEY_TTL_MS]
    const reply = await runScript(client, scripts.claim, [placeOf(use)], args)
    const [code, callId] = Array.isArray(reply) ? (reply as readonly unknown[]) : []
    switch (code) {
      case 0:
        return { kind: 'claimed', settle: once((end) => settle(use, end)) }
      case 1:
        return { kind: 'in_flight' }
      case 2:
        return { kind: 'done', callId: String(callId) }
      case 3:
        return { kind: 'mismatch' }
      default:
        throw new TypeError('idempotency-claim.lua did not answer with what it did')
    }
  }

  return {
    claim: (use) => {
      if (!isUp()) return unavailable(new Error('the store is down'))
      return claim(use).catch((cause: unknown) => {
        // An answer that came too late may have been a yes; what comes after it on the same connection takes it back.
        settle(use, 'released')
        return unavailable(cause)
      })
    },
  }
}

function unavailable(cause: unknown): KeyAnswer {
  return { kind: 'unavailable', retryAfterMs: UNAVAILABLE_RETRY_MS, cause }
}
