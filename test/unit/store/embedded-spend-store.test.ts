import { describe, expect, it } from 'vitest'
import { createEmbeddedSpendStore } from '../../../gateway/store/embedded-spend-store.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'
import { describeSpendStore, reserved, spendDemand } from './spend-store-contract.ts'

describeSpendStore('the embedded store', () =>
  Promise.resolve({
    store: createEmbeddedSpendStore({ clock: virtualClock() }),
    settled: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }),
)

describe('the embedded store of spend, bounded', () => {
  it('refuses a new sum when full of live ones, goes on with the known, and forgets none to make room', () => {
    const clock = virtualClock()
    const store = createEmbeddedSpendStore({ clock, capacity: 2 })
    const of = (agent: string): ReturnType<typeof spendDemand> => spendDemand({ agent, task: '' })
    reserved(store.reserve(of('a')))
    reserved(store.reserve(of('b')))
    expect(store.reserve(of('c'))).toMatchObject({ kind: 'unavailable' })
    expect(reserved(store.reserve(of('a'))).dayMinor).toBe(1_000)
    clock.advance(48 * 3_600_000)
    reserved(store.reserve(of('c')))
  })

  it('gives nothing back to a sum that began anew meanwhile', () => {
    const clock = virtualClock()
    const store = createEmbeddedSpendStore({ clock })
    const long = reserved(store.reserve(spendDemand()))
    clock.advance(48 * 3_600_000)
    long.settle('released')
    expect(reserved(store.reserve(spendDemand())).dayMinor).toBe(0)
  })
})
