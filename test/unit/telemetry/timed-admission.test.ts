import { describe, expect, it } from 'vitest'
import type { CallId } from '../../../gateway/exchange.ts'
import type { AdmissionAnswer, AdmissionStore } from '../../../gateway/store/admission-store.ts'
import { timedAdmission } from '../../../gateway/telemetry/timed-admission.ts'

const ANSWER: AdmissionAnswer = { kind: 'replayed' }
const DEMAND = {
  callId: 'c' as CallId,
  access: 'read',
  tag: '{t}',
  agent: 'a',
  task: '',
  operation: 'o',
  replay: undefined,
  rates: [],
  quotas: [],
  concurrency: [],
  agentBreaker: { failures: 1, windowMs: 1, openMs: 1 },
} as const

function timed(admit: AdmissionStore['admit']): { store: AdmissionStore; observedMs: number[] } {
  const observedMs: number[] = []
  let nowMs = 0
  const clock = { monotonicMs: () => (nowMs += 4) }
  const store = { admit, close: async () => undefined }
  return { store: timedAdmission(store, clock, (elapsedMs) => observedMs.push(elapsedMs)), observedMs }
}

describe('timed admission', () => {
  it('of a store in memory stays synchronous', () => {
    const { store, observedMs } = timed(() => ANSWER)
    expect(store.admit(DEMAND)).toBe(ANSWER)
    expect(observedMs).toEqual([4])
  })

  it('of a store across the network ends when the answer is there', async () => {
    const { promise, resolve } = Promise.withResolvers<AdmissionAnswer>()
    const { store, observedMs } = timed(() => promise)
    const answer = store.admit(DEMAND)
    expect(observedMs).toEqual([])
    resolve(ANSWER)
    expect(await answer).toBe(ANSWER)
    expect(observedMs).toEqual([4])
  })
})
