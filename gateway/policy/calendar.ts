import type { PolicyInput, Weekday } from './input.ts'

/** When people are at work, in a time zone of the IANA database. */
export interface CalendarOptions {
  readonly timeZone: string
  readonly businessHours: {
    readonly days: readonly string[]
    /** 0 to 23. */
    readonly fromHour: number
    /** 1 to 24; the hour in which business has ended. */
    readonly toHour: number
  }
}

export type PolicyTime = PolicyInput['time']

const QUARTER_HOUR_MS = 15 * 60 * 1000

const WEEKDAYS: ReadonlyMap<string, Weekday> = new Map([
  ['Mon', 'monday'],
  ['Tue', 'tuesday'],
  ['Wed', 'wednesday'],
  ['Thu', 'thursday'],
  ['Fri', 'friday'],
  ['Sat', 'saturday'],
  ['Sun', 'sunday'],
])

/**
 * Makes the function that turns a wall-clock time (milliseconds since the epoch) into what rules may know of it.
 * Offsets of time zones are multiples of a quarter of an hour, so one look at the time zone serves every call of
 * that quarter.
 *
 * @throws RangeError when the time zone, a day or an hour is not one
 */
export function createCalendar(options: CalendarOptions): (nowMs: number) => PolicyTime {
  const { fromHour, toHour } = options.businessHours
  const days = new Set(options.businessHours.days.map(weekdayOf))
  if (!(fromHour >= 0 && fromHour < toHour && toHour <= 24)) {
    throw new RangeError(`business hours from ${fromHour} to ${toHour} are not within one day`)
  }
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: options.timeZone,
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    hourCycle: 'h23',
  })
  const look = (quarter: number): Omit<PolicyTime, 'ns'> => {
    const parts = new Map(
      format.formatToParts(quarter * QUARTER_HOUR_MS).map(({ type, value }) => [type, value]),
    )
    const weekday = WEEKDAYS.get(parts.get('weekday') ?? '')
    const hour = Number(parts.get('hour'))
    const date = `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`
    if (weekday === undefined || !Number.isInteger(hour))
      throw new RangeError(`no local time in ${options.timeZone}`)
    return { date, weekday, hour, business_hours: days.has(weekday) && hour >= fromHour && hour < toHour }
  }
  let quarter = Number.NaN
  let local = look(0)
  return (nowMs) => {
    const current = Math.floor(nowMs / QUARTER_HOUR_MS)
    if (current !== quarter) {
      local = look(current)
      quarter = current
    }
    const { date, weekday, hour, business_hours } = local
    return { ns: `${Math.trunc(nowMs)}000000`, date, weekday, hour, business_hours }
  }
}

function weekdayOf(name: string): Weekday {
  const wanted = name.toLowerCase()
  for (const weekday of WEEKDAYS.values()) {
    if (weekday === wanted || weekday.slice(0, 3) === wanted) return weekday
  }
  throw new RangeError(`${JSON.stringify(name)} is not a day of the week`)
}
