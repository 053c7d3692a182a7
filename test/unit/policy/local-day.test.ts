import { describe, expect, test } from 'vitest'
import { createLocalDay } from '../../../gateway/policy/local-day.ts'

describe('the day of a budget', () => {
  test.each([
    ['Europe/Berlin', '2026-11-23T22:59:59.999Z', '2026-11-23'],
    ['Europe/Berlin', '2026-11-23T23:00:00Z', '2026-11-24'],
    ['Europe/Berlin', '2026-07-23T22:00:00Z', '2026-07-24'],
    ['UTC', '2026-11-23T23:59:59.999Z', '2026-11-23'],
    ['America/New_York', '2026-11-24T04:59:59Z', '2026-11-23'],
    ['Asia/Kathmandu', '2026-11-23T18:15:00Z', '2026-11-24'],
    ['Pacific/Kiritimati', '2026-12-31T10:00:00Z', '2027-01-01'],
  ])('in %s at %s is %s', (timeZone, at, day) => {
    const dayOf = createLocalDay(timeZone)
    dayOf(0)
    expect(dayOf(Date.parse(at))).toBe(day)
  })

  test('is refused where the time zone is not one', () => {
    expect(() => createLocalDay('Mars/Olympus')).toThrow(RangeError)
  })
})
