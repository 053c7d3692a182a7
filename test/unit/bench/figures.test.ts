import { expect, it } from 'vitest'
import type { Seen } from '../../bench/compare/turn.ts'
import { figuresOf } from '../../bench/results/figures.ts'

const SEEN: Seen = {
  perSecond: 300,
  calls: 4,
  elapsedMs: 1_000,
  latenciesMs: Float64Array.of(1, 2, 3, 4),
  latenessMs: Float64Array.of(0.1, 0.1, 0.1, 0.1),
  processorUs: { node: 400, opa: 800 },
  residentBytes: { node: 1 << 20 },
  clientCores: 0.2,
}
const saturated = (clientCores: number): Seen => ({
  ...SEEN,
  perSecond: undefined,
  latenessMs: new Float64Array(),
  clientCores,
})

it('processor time of a call counts every process of the row', () => {
  expect(figuresOf([SEEN, SEEN])).toMatchObject({ processorUs: 300, processorUsBy: { node: 100, opa: 200 } })
})

it('a figure at a fixed rate is marked where the client was late itself', () => {
  expect(figuresOf([SEEN]).isClientBound).toBe(false)
  expect(figuresOf([{ ...SEEN, latenessMs: Float64Array.of(0.1, 0.1, 0.1, 5) }]).isClientBound).toBe(true)
})

it('a figure at saturation is marked where the client kept a core busy', () => {
  expect([0.5, 0.95].map((cores) => figuresOf([saturated(cores)]).isClientBound)).toEqual([false, true])
})
