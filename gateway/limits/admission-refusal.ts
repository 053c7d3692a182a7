import { assertNever } from '../lib/assert-never.ts'
import type { Refusal } from '../refusal.ts'
import type { AdmissionAnswer } from '../store/admission-store.ts'
import { rateLimitHeaders } from './rate-limit-headers.ts'

export type NotAdmitted = Exclude<AdmissionAnswer, { kind: 'admitted' }>

/** The refusal that the store's no becomes; `replayChallenge` are the headers of RFC 9449 §7.1. */
export function admissionRefusal(answer: NotAdmitted, replayChallenge: () => readonly string[]): Refusal {
  switch (answer.kind) {
    case 'replayed':
      return { code: 'identity.proof_replayed', headers: replayChallenge() }
    case 'agent-stopped':
      return { code: 'breaker.agent_open', retryAfterMs: answer.retryAfterMs }
    case 'unavailable':
      return { code: 'store.unavailable', retryAfterMs: answer.retryAfterMs, cause: answer.cause }
    case 'limited': {
      const { by, name, retryAfterMs, limits } = answer
      return { code: `limit.${by}`, retryAfterMs, detail: name, headers: rateLimitHeaders(limits) }
    }
    default:
      return assertNever(answer)
  }
}
