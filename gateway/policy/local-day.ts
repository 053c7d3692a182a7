const QUARTER_HOUR_MS = 15 * 60 * 1000

/**
 * Makes the function that gives the date (`2026-11-23`) of a wall-clock time, milliseconds since the epoch, in a time zone
 * of the IANA database: budgets of a day begin when the day of the people does. Offsets are multiples of a quarter of
 * an hour, so one look serves every call of that quarter.
 *
 * @throws RangeError when the time zone is not one
 */
export function createLocalDay(timeZone: string): (nowMs: number) => string {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  })
  let quarter = Number.NaN
  let day = ''
  return (nowMs) => {
    const current = Math.floor(nowMs / QUARTER_HOUR_MS)
    if (current !== quarter) {
      const parts = new Map(format.formatToParts(nowMs).map(({ type, value }) => [type, value]))
      day = [parts.get('year'), parts.get('month'), parts.get('day')].join('-')
      quarter = current
    }
    return day
  }
}
