import { randomUUID } from 'node:crypto'
import type { ReplayCheck } from '../../../gateway/caller.ts'
import type { CallId } from '../../../gateway/exchange.ts'
import type { Feedback } from '../../../gateway/limits/feedback.ts'
import { rateLimit, type RateLimit } from '../../../gateway/limits/gcra.ts'
import type {
  AdmissionAnswer,
  AdmissionDemand,
  ConcurrencyLimit,
  Demanded,
  QuotaLimit,
} from '../../../gateway/store/admission-store.ts'

export const SUCCEEDED: Feedback = {
  forwarded: true,
  succeeded: true,
  denied: false,
  errored: false,
  failed: false,
}
export const DENIED: Feedback = {
  forwarded: false,
  succeeded: false,
  denied: true,
  errored: false,
  failed: true,
}
export const ERRORED: Feedback = {
  forwarded: true,
  succeeded: false,
  denied: false,
  errored: true,
  failed: true,
}

/** A demand without limits or proof, unless asked for. */
export function admissionDemand(wanted: Partial<AdmissionDemand> = {}): AdmissionDemand {
  return {
    callId: randomUUID() as CallId,
    access: 'read',
    tag: '{zyx}',
    agent: 'issuer:change-review',
    task: '',
    operation: 'github.pulls/get',
    replay: undefined,
    rates: [],
    quotas: [],
    concurrency: [],
    agentBreaker: { failures: 1_000, windowMs: 60_000, openMs: 60_000 },
    ...wanted,
  }
}

/** `calls` per minute unless said otherwise: windows are long, so that no real key ends while a test runs. */
export function rate(name: string, calls: number, burst = calls, windowMs = 60_000): Demanded<RateLimit> {
  const whole = rateLimit({ name, calls, windowMs, burst })
  return { key: `{zyx}:r:${name}`, whole, share: whole }
}

export function quota(name: string, calls: number): Demanded<QuotaLimit> {
  return { key: `{zyx}:q:${name}`, whole: { name, calls }, share: { name, calls } }
}

export function places(name: string, calls: number, leaseMs = 60_000): Demanded<ConcurrencyLimit> {
  return { key: `{zyx}:c:${name}`, whole: { name, calls, leaseMs }, share: { name, calls, leaseMs } }
}

export function proof(nowMs: number, jti: string = randomUUID(), jkt = 'jkt'): ReplayCheck {
  return { key: `${jkt}:${jti}`, expiresAtMs: nowMs + 70_000 }
}

type Admitted = Extract<AdmissionAnswer, { kind: 'admitted' }>

/** The answer as an admission; anything else fails the test with what it was. */
export function admitted(answer: AdmissionAnswer): Admitted {
  if (answer.kind === 'admitted') return answer
  throw new Error(`expected an admission: ${JSON.stringify(answer)}`)
}
