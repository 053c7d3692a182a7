import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createEmbeddedAdmissionStore } from '../../../gateway/store/embedded-admission-store.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'
import type { AdmissionAnswer } from '../../../gateway/store/admission-store.ts'
import { admissionDemand, admitted, places, proof, rate, SUCCEEDED } from './admission-demand.ts'
import { describeAdmissionStore } from './admission-store-contract.ts'

const proofLifetimeMs = 70_000

describeAdmissionStore('the embedded store', () => {
  const clock = virtualClock()
  const store = createEmbeddedAdmissionStore({ clock, proofLifetimeMs })
  return Promise.resolve({
    admit: (demand) => Promise.resolve(store.admit(demand)),
    settled: () => Promise.resolve(),
    advance: (ms) => Promise.resolve(clock.advance(ms)),
    nowMs: () => clock.nowMs(),
    [Symbol.asyncDispose]: () => store.close(),
  })
})

describe('the embedded store, bounded', () => {
  const capacity = { replays: 3, counters: 2, agents: 2 }

  it('refuses when it cannot remember another proof, and never forgets one that is still valid', () => {
    const clock = virtualClock()
    const store = createEmbeddedAdmissionStore({ clock, proofLifetimeMs, capacity })
    const seen = ['one', 'two', 'three'].map((key) => proof(clock.nowMs(), randomUUID(), key))
    for (const replay of seen) admitted(store.admit(admissionDemand({ replay })))
    for (let flood = 0; flood < 100; flood++) {
      const replay = proof(clock.nowMs(), randomUUID(), `key ${flood}`)
      expect(store.admit(admissionDemand({ replay })).kind).toBe('unavailable')
    }
    for (const replay of seen) expect(store.admit(admissionDemand({ replay })).kind).toBe('replayed')
    clock.advance(70_001)
    admitted(store.admit(admissionDemand({ replay: proof(clock.nowMs()) })))
  })

  it('refuses a new counter when full of live ones, and goes on with the known', () => {
    const clock = virtualClock()
    const store = createEmbeddedAdmissionStore({ clock, proofLifetimeMs, capacity })
    admitted(store.admit(admissionDemand({ rates: [rate('a', 60)] })))
    admitted(store.admit(admissionDemand({ rates: [rate('b', 60)] })))
    expect(store.admit(admissionDemand({ rates: [rate('c', 60)] })).kind).toBe('unavailable')
    admitted(store.admit(admissionDemand({ rates: [rate('a', 60)] })))
    clock.advance(2_000)
    admitted(store.admit(admissionDemand({ rates: [rate('c', 60)] })))
  })

  it('refuses a proof that is older than the process, because it may have been used before the restart', () => {
    const clock = virtualClock()
    const before = proof(clock.nowMs())
    clock.advance(1_001)
    const restarted = createEmbeddedAdmissionStore({ clock, proofLifetimeMs })
    expect(restarted.admit(admissionDemand({ replay: before })).kind).toBe('replayed')
    admitted(restarted.admit(admissionDemand({ replay: proof(clock.nowMs()) })))
  })

  it('forgets the agent that called least lately, and no other, when it knows as many as it may', () => {
    const store = createEmbeddedAdmissionStore({ clock: virtualClock(), proofLifetimeMs, capacity })
    const callsOf = (agent: string): number =>
      admitted(store.admit(admissionDemand({ agent }))).history.calls1m
    expect(['a', 'b', 'a', 'a'].map(callsOf)).toEqual([0, 0, 1, 2])
    expect(callsOf('c')).toBe(0)
    expect(callsOf('a')).toBe(3)
    expect(callsOf('b')).toBe(0)
    expect(callsOf('a')).toBe(4)
    expect(callsOf('c')).toBe(0)
  })

  it('tells agents of one name in two tenants apart', () => {
    const store = createEmbeddedAdmissionStore({ clock: virtualClock(), proofLifetimeMs })
    const callsOf = (tag: string): number => admitted(store.admit(admissionDemand({ tag }))).history.calls1m
    expect(['{one}', '{two}', '{one}'].map(callsOf)).toEqual([0, 0, 1])
  })

  it('gives places back and holds them to their limit, whatever many names have held one', () => {
    const store = createEmbeddedAdmissionStore({ clock: virtualClock(), proofLifetimeMs })
    const admit = (name: string): AdmissionAnswer =>
      store.admit(admissionDemand({ concurrency: [places(name, 1)] }))
    for (let round = 0; round < 2; round += 1) {
      const held = Array.from({ length: 1_100 }, (_, at) => admitted(admit(`name ${at}`)))
      for (const at of [0, 1_023, 1_024, 1_099]) expect(admit(`name ${at}`).kind).toBe('limited')
      for (const one of held) one.settle(SUCCEEDED)
    }
  })

  it('answers without a promise', () => {
    const store = createEmbeddedAdmissionStore({ clock: virtualClock(), proofLifetimeMs })
    expect(store.admit(admissionDemand())).not.toBeInstanceOf(Promise)
  })
})
