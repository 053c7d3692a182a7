import { array, assert, double, integer, oneof, property } from 'fast-check'
import { expect, it } from 'vitest'
import { isoTime } from '../../../gateway/lib/iso-time.ts'

it('is the time that toISOString gives, of any moment after any other', () => {
  const moment = oneof(
    integer({ min: 0, max: 8_640_000_000_000_000 }),
    integer({ min: 1_764_156_000_000, max: 1_764_156_003_000 }),
    double({ min: 0, max: 4_102_444_800_000, noNaN: true }),
  )
  assert(
    property(array(moment, { minLength: 1 }), (moments) => {
      for (const epochMs of moments) expect(isoTime(epochMs)).toBe(new Date(epochMs).toISOString())
    }),
  )
})

it.each([Number.NaN, Number.POSITIVE_INFINITY, 9e15])('is not made of %s', (epochMs) => {
  isoTime(0)
  expect(() => isoTime(epochMs)).toThrow(RangeError)
  expect(isoTime(0)).toBe('1970-01-01T00:00:00.000Z')
})
