const SECOND_MS = 1_000

let second = Number.NaN
let prefix = ''

/**
 * A time as it stands in an entry: that of `toISOString`, which takes a call longer than the rest of its entry does, so
 * that all of it but the milliseconds is made once a second.
 *
 * @throws RangeError where `toISOString` does
 */
export function timeField(epochMs: number): string {
  const wholeMs = Math.floor(epochMs)
  const wanted = Math.floor(wholeMs / SECOND_MS)
  if (wanted !== second) {
    prefix = new Date(wanted * SECOND_MS).toISOString().slice(0, -4)
    second = wanted
  }
  return `${prefix}${String(wholeMs - wanted * SECOND_MS).padStart(3, '0')}Z`
}
