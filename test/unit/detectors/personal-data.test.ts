import { expect, it } from 'vitest'
import { PERSONAL } from '../../harness/detector-samples.ts'
import { namesIn, planFor, search } from './search.ts'

const SAMPLES = Object.entries(PERSONAL).flatMap(([name, texts]) =>
  texts.map((text): [string, string] => [name, text]),
)

it.each(SAMPLES)('finds %s in %s, whatever stands around it', (name, text) => {
  for (const around of [text, `number ${text}.`, `("${text}")`, `{"value":"${text}","x":1}`, `a=${text}&b=2`])
    expect(search(around).pii).toEqual([name])
})

it.each(SAMPLES.filter(([name, text]) => name !== 'email' && name !== 'us_ssn' && /\d..$/.test(text)))(
  'does not take %s for one once a digit of %s is another',
  (name, text) => {
    const at = text.length - 3
    const other = text.slice(0, at) + String((Number(text[at]) + 1) % 10 || 1) + text.slice(at + 1)
    expect(search(other).pii).not.toContain(name)
  },
)

it.each([
  ['a time in milliseconds', '{"ts":1732600000000}'],
  ['a number that no card scheme uses', '1111111111111117 9999999999999995'],
  ['a number of one digit only', '0000000000000000 4444444444444444'],
  ['the middle of a longer number', '94111111111111111 41111111111111119'],
  ['the middle of an identifier', 'run-4111111111111111x a4111111111111111'],
  ['a decimal fraction', '0.4111111111111111'],
  ['card digits in groups that no card has', '41111 11111 11111 1'],
  ['a UUID of digits', '41111111-1111-4111-8111-111111111111'],
  ['an SSN that is never issued', '000-12-3456 666-12-3456 912-12-3456 123-00-4567 123-45-0000 078-05-1120'],
  ['a number of nine digits', '536904399'],
  ['an AHV number of another country', '757.9217.0769.85'],
  ['an IBAN of a country that has none', 'ZZ9300762011623852957'],
  ['a product code', 'CH93 0076'],
  ['a handle and a package', '@dana @types/node user@host'],
])('takes %s for no personal data', (_what, text) => {
  expect(search(text).pii).toEqual([])
})

it('looks for the kinds that it is told to, and no others', () => {
  const text = `${PERSONAL.card[0]} ${PERSONAL.email[0]} ${PERSONAL.iban[0]}`
  expect(namesIn(text, planFor({ pii: ['iban'] }))).toEqual(['iban'])
  expect(namesIn(text, planFor({ pii: [] }))).toEqual([])
  expect(namesIn(text, planFor({ kinds: new Set(['secrets']) }))).toEqual([])
})

it('finds a number that JSON writes without quotes', () => {
  expect(search('{"card":4111111111111111,"n":1}').pii).toEqual(['card'])
})
