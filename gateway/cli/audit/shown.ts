import { printable } from '../../lib/scrub.ts'

/** Longest text of one value: the whole of it is in the JSON. */
const VALUE_LIMIT = 1_024

/** What an entry says, for a terminal: a log that somebody has altered may hold what one would obey. */
export function shown(value: string): string {
  return printable(value, VALUE_LIMIT)
}
