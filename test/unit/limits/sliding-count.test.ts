import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { addEvent, bucketUs, countEvents, slidingCount } from '../../../gateway/limits/sliding-count.ts'

const NOW_US = 1_790_000_000_000_000

/** Buckets as they are written down: the number of the period, and in its last five digits the events. */
function counted(buckets: readonly number[], widthUs: number, nowUs: number): number {
  const period = Math.floor(nowUs / widthUs)
  let total = 0
  for (const held of buckets)
    if (held !== 0 && period - Math.floor(held / 100_000) < 7) total += held % 100_000
  return total
}

it('counts what its buckets say, wherever the clock goes', () => {
  const steps = fc.array(fc.record({ byMs: fc.integer({ min: -90_000, max: 90_000 }), adds: fc.nat(3) }))
  fc.assert(
    fc.property(fc.constantFrom(1, 60_000, 3_600_000), steps, (windowMs, moves) => {
      const widthUs = bucketUs(windowMs)
      const count = slidingCount()
      let nowUs = NOW_US
      for (const { byMs, adds } of moves) {
        nowUs += byMs * 1_000
        for (let left = adds; left > 0; left -= 1) addEvent(count, widthUs, nowUs)
        expect(countEvents(count, widthUs, nowUs)).toBe(counted(count, widthUs, nowUs))
      }
    }),
  )
})

it('keeps an event for the whole window, and at most a sixth longer', () => {
  const widthUs = bucketUs(60_000)
  const count = slidingCount()
  addEvent(count, widthUs, NOW_US)
  expect(countEvents(count, widthUs, NOW_US + 60_000_000)).toBe(1)
  expect(countEvents(count, widthUs, NOW_US + 70_000_000)).toBe(0)
})

it('counts no further than a bucket reaches', () => {
  const widthUs = bucketUs(60_000)
  const count = slidingCount()
  for (let events = 0; events < 100_050; events += 1) addEvent(count, widthUs, NOW_US)
  expect(countEvents(count, widthUs, NOW_US)).toBe(99_999)
})
