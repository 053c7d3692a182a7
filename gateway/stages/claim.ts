import { hash } from 'node:crypto'
import { upstreamTargetOf } from '../egress/upstream-target.ts'
import type { Claimed, Reserved } from '../exchange.ts'
import type { HeaderList } from '../lib/header-list.ts'
import type { CallerNames } from '../limits/caller-names.ts'
import { spendEndOf } from '../limits/feedback.ts'
import { pass, refuse, type Verdict } from '../refusal.ts'
import type { Settlement } from '../settlement.ts'
import type { IdempotencyStore, KeyAnswer } from '../store/idempotency-store.ts'

export interface ClaimDependencies {
  readonly store: IdempotencyStore
  readonly namesOf: CallerNames
}

/** As a structured string (draft-ietf-httpapi-idempotency-key-header §2.1), or bare as most SDKs send it. */
const KEY = /^(?:"([!#-[\]-~]{1,255})"|([!#-+\--~]{1,255}))$/
const RETRY_MS = 1_000

/**
 * Lets one key of an agent make one change. A second call with it hears that the first is under way, was made, or was
 * another; nothing is sent. Reads change nothing, and a call without a key makes no trip.
 */
export function createClaim({
  store,
  namesOf,
}: ClaimDependencies): (call: Reserved) => Verdict<Claimed> | Promise<Verdict<Claimed>> {
  return (call) => {
    const { headers, operation, arrival, caller } = call
    if (operation.access === 'read' || !headers.has('idempotency-key')) return pass(call)
    const key = readKey(headers)
    if (key === undefined) return refuse('request.malformed', { detail: 'Idempotency-Key is not one key' })
    const { tag, agent } = namesOf(caller)
    const use = { callId: arrival.callId, tag, agent, key: hash('sha256', key, 'base64url') }
    const answer = store.claim({ ...use, fingerprint: fingerprintOf(call) })
    return answer instanceof Promise ? answer.then((late) => claimed(call, late)) : claimed(call, answer)
  }
}

function readKey(headers: HeaderList): string | undefined {
  if (headers.count('idempotency-key') > 1) return undefined
  const [, quoted, bare] = KEY.exec(headers.get('idempotency-key') ?? '') ?? []
  return quoted ?? bare
}

/** Of a body that is streamed past nothing is known yet; its key is good for one call all the same. */
function fingerprintOf(call: Reserved): string {
  const { origin, target } = upstreamTargetOf(call)
  return hash('sha256', JSON.stringify([call.method, origin, target, call.content.digest]), 'base64url')
}

function claimed(call: Reserved, answer: KeyAnswer): Verdict<Claimed> {
  switch (answer.kind) {
    case 'claimed': {
      const settle = (settlement: Settlement): void =>
        answer.settle(spendEndOf(settlement) === 'kept' ? 'done' : 'released')
      return pass({ ...call, claim: { settle } })
    }
    case 'in_flight':
      return refuse('idempotency.in_flight', { retryAfterMs: RETRY_MS })
    case 'done':
      return refuse('idempotency.done', { headers: ['Toolgate-First-Call-Id', answer.callId] })
    case 'mismatch':
      return refuse('idempotency.mismatch')
    case 'unavailable': {
      const { retryAfterMs, cause } = answer
      return refuse('store.unavailable', { retryAfterMs, cause, detail: 'the key cannot be looked up' })
    }
  }
}
