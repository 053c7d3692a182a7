import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCalendar } from '../../../gateway/policy/calendar.ts'

const businessHours = { days: ['mon', 'Tuesday', 'wed', 'thu', 'fri'], fromHour: 9, toHour: 17 }
const berlin = createCalendar({ timeZone: 'Europe/Berlin', businessHours })

describe('the time that rules may know', () => {
  test('is local to the configured time zone', () => {
    expect(berlin(Date.parse('2026-11-23T08:00:00Z'))).toEqual({
      ns: '1795420800000000000',
      date: '2026-11-23',
      weekday: 'monday',
      hour: 9,
      business_hours: true,
    })
  })

  test.each([
    ['2026-11-23T07:59:59.999Z', 'monday', 8, false],
    ['2026-11-23T15:59:59.999Z', 'monday', 16, true],
    ['2026-11-23T16:00:00Z', 'monday', 17, false],
    ['2026-11-22T10:00:00Z', 'sunday', 11, false],
    ['2026-11-22T23:30:00Z', 'monday', 0, false],
    ['2026-07-21T07:00:00Z', 'tuesday', 9, true],
    // The night in which clocks go back: two o'clock comes twice.
    ['2026-10-25T00:30:00Z', 'sunday', 2, false],
    ['2026-10-25T01:30:00Z', 'sunday', 2, false],
    ['2026-10-25T02:30:00Z', 'sunday', 3, false],
  ])('%s is %s, %d o’clock, business: %s', (at, weekday, hour, business_hours) => {
    expect(berlin(Date.parse(at))).toMatchObject({ weekday, hour, business_hours })
  })

  test('has the date of the time zone, not of UTC', () => {
    expect(berlin(Date.parse('2026-11-22T22:59:59Z')).date).toBe('2026-11-22')
    expect(berlin(Date.parse('2026-11-22T23:00:00Z')).date).toBe('2026-11-23')
    expect(berlin(Date.parse('2026-12-31T23:30:00Z')).date).toBe('2027-01-01')
  })

  test('follows offsets of three quarters of an hour', () => {
    const kathmandu = createCalendar({ timeZone: 'Asia/Kathmandu', businessHours })
    expect(kathmandu(Date.parse('2026-11-23T03:14:59Z')).hour).toBe(8)
    expect(kathmandu(Date.parse('2026-11-23T03:15:00Z')).hour).toBe(9)
  })

  test('is what a fresh look at the time zone gives, at any time', () => {
    const zones = ['Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Pacific/Chatham', 'UTC']
    const cached = new Map(zones.map((timeZone) => [timeZone, createCalendar({ timeZone, businessHours })]))
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: Date.UTC(2024, 0), max: Date.UTC(2030, 0) }),
        (timeZone, nowMs) => {
          const hour = new Intl.DateTimeFormat('en-US', {
            timeZone,
            hour: '2-digit',
            hourCycle: 'h23',
          }).format(nowMs)
          expect(cached.get(timeZone)?.(nowMs).hour).toBe(Number(hour))
        },
      ),
    )
  })

  test.each([
    ['a time zone nobody knows', { timeZone: 'Europe/Atlantis', businessHours }],
    ['a day nobody knows', { timeZone: 'UTC', businessHours: { ...businessHours, days: ['someday'] } }],
    ['hours that end before they begin', { timeZone: 'UTC', businessHours: { ...businessHours, toHour: 9 } }],
    ['hours beyond the day', { timeZone: 'UTC', businessHours: { ...businessHours, toHour: 25 } }],
  ])('cannot be had with %s', (_, options) => {
    expect(() => createCalendar(options)).toThrow(RangeError)
  })
})
