import { expect, it } from 'vitest'
import { SECRET_RULES } from '../../../gateway/detectors/secret-formats.ts'
import { INJECTION_RULES } from '../../../gateway/detectors/injection-phrases.ts'
import { planFor, search } from './search.ts'

const SHORT_CHARACTERS = 2_048
const TIMES_LONGER = 16
const LONG_KIBIBYTES = (SHORT_CHARACTERS * TIMES_LONGER) / 1_024
const SHORTEST_MS = 0.5
/** Sixty times what the worst of them takes, and hundreds of times what prose does. */
const MOST_MS_PER_KIBIBYTE = 10
/** Quadratic would be 256 times as much for 16 times the length. */
const MOST_GROWTH = 64
const TRIES = 5

const literals = [...new Set([...SECRET_RULES, ...INJECTION_RULES].map(({ literal }) => literal))]
/** What begins everything and ends nothing, once more each time somebody looks. */
const UNITS = [
  ...literals,
  ...literals.map((literal) => `${literal}aaaaaaaaaaaaaaaaaaaa`),
  'eyJaaaaaaaaaa.eyJaaaaaaaaaa.',
  'eyJ-',
  'ghs_eyJ_',
  'sk-T3BlbkFJ',
  'secret_access_key":"',
  '1 ',
  '12-',
  '4111 ',
  '4111 1111 1111 ',
  '756.',
  '536-90-',
  'CH93 ',
  'CH93007620116238529',
  'a@b.',
  'a@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
  '![](http',
  '<img src="http',
  '<img src=',
  'ignore all the previous ',
  'do not tell ',
  '\u200b',
  'a\u200b',
  '\u{e0041}',
  'Ａ',
  '\u200b\ufdfa',
  '\\u0041',
  '\\\\',
  'QUJDREVGR0hJSktM',
  `${'QUJDREVGR0hJSktM'.repeat(4)}\n`,
  'QUJD\n',
  'SGVsbG8gd29ybGQs',
]

const plan = planFor({ entropy: true })

/** The least of some tries: collecting what earlier tests left behind and compiling are not the time of the search. */
function costMs(text: string, enoughMs: number): number {
  let leastMs = Infinity
  for (let tries = 0; tries < TRIES && leastMs > enoughMs; tries += 1) {
    const before = process.threadCpuUsage()
    search(text, plan)
    const { user, system } = process.threadCpuUsage(before)
    leastMs = Math.min(leastMs, (user + system) / 1_000)
  }
  return leastMs
}

it('takes time that grows with the length of a text and no faster, whatever the text repeats', () => {
  const slow: string[] = []
  for (const unit of UNITS) {
    const short = unit.repeat(Math.ceil(SHORT_CHARACTERS / unit.length))
    const long = unit.repeat(Math.ceil((SHORT_CHARACTERS * TIMES_LONGER) / unit.length))
    // A clock tick must not look like growth.
    const shortMs = Math.max(costMs(short, SHORTEST_MS), SHORTEST_MS)
    const mostMs = Math.min(shortMs * MOST_GROWTH, LONG_KIBIBYTES * MOST_MS_PER_KIBIBYTE)
    const longMs = costMs(long, mostMs)
    if (longMs > mostMs)
      slow.push(`${JSON.stringify(unit)}: ${shortMs.toFixed(1)} ms, then ${longMs.toFixed(1)} ms`)
  }
  expect(slow).toEqual([])
})
