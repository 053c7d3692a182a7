import { expect, it } from 'vitest'
import { SECRET_RULES } from '../../../gateway/detectors/secret-formats.ts'
import { INJECTION_RULES } from '../../../gateway/detectors/injection-phrases.ts'
import { planFor, search } from './search.ts'

const SHORT_CHARACTERS = 2_048
const TIMES_LONGER = 16

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

function costMs(text: string): number {
  const before = process.cpuUsage()
  search(text, plan)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

it('takes time that grows with the length of a text and no faster, whatever the text repeats', () => {
  const slow: string[] = []
  for (const unit of UNITS) {
    const short = unit.repeat(Math.ceil(SHORT_CHARACTERS / unit.length))
    const long = unit.repeat(Math.ceil((SHORT_CHARACTERS * TIMES_LONGER) / unit.length))
    const shortMs = costMs(short)
    const longMs = costMs(long)
    // Quadratic would be 256 times as much; a clock tick must not look like growth.
    const ratio = longMs / Math.max(shortMs, 0.5)
    // Twenty times what a loaded machine takes for the worst of them, and a hundred times what it takes for prose.
    const msPerKibibyte = longMs / ((SHORT_CHARACTERS * TIMES_LONGER) / 1_024)
    if (ratio > TIMES_LONGER * 4 || msPerKibibyte > 10)
      slow.push(`${JSON.stringify(unit)}: ${ratio.toFixed(0)} times, ${msPerKibibyte.toFixed(1)} ms/KB`)
  }
  expect(slow).toEqual([])
})
