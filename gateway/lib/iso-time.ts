const SECOND_MS = 1_000

let second = Number.NaN
let prefix = ''

/**
 * A time as it stands in the record and the log: that of `toISOString`, which takes longer than the rest of an entry does,
 * so that all of it but the milliseconds is made once a second.
 *
 * @throws RangeError where `toISOString` does
 */
export function isoTime(epochMs: number): string {
  const wholeMs = Math.floor(epochMs)
  const wanted = Math.floor(wholeMs / SECOND_MS)
  if (wanted !== second) {
    prefix = new Date(wanted * SECOND_MS).toISOString().slice(0, -4)
    second = wanted
  }
  return `${prefix}${String(wholeMs - wanted * SECOND_MS).padStart(3, '0')}Z`
}
