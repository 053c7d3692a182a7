import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson } from '../../../gateway/policy/bundles/canonical-json.ts'
import { createBundleKey, signFiles } from '../../harness/signed-bundle.ts'

test.each([
  ['{ "b" : 1 , "a" : [ ] }', '{"a":[],"b":1}'],
  ['{"n":[2.50,1E+2,-0,0.10,12345678901234567890]}', '{"n":[2.50,1E+2,-0,0.10,12345678901234567890]}'],
  [String.raw`{"\u0061":"\/\u003c\u00e9"}`, '{"a":"/<é"}'],
  [String.raw`"\u0000\b\f\n\r\t\u000b\u007f"`, '"\\u0000\\b\\f\\n\\r\\t\\u000b\u007f"'],
  ['"\u2028\u2029"', String.raw`"\u2028\u2029"`],
  [' null ', 'null'],
  // By UTF-8 bytes U+FFEE comes before U+1F600; by UTF-16 units it does not.
  [
    '{"\u{1f600}":1,"\uffee":2,"\ue000":3,"z":4,"zz":5}',
    '{"z":4,"zz":5,"\ue000":3,"\uffee":2,"\u{1f600}":1}',
  ],
])('%s has one spelling', (text, canonical) => {
  expect(canonicalJson(text)).toBe(canonical)
})

test('is what opa hashes, whatever the text', async () => {
  const number = fc.oneof(
    fc.constantFrom('2.50', '-0', '1E+2', '1e-07', '0.0', '123456789012345678901234567890'),
    fc.integer().map(String),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  )
  const string = fc.string({ unit: 'binary' }).map((value) => JSON.stringify(value))
  const escaped = fc.string().map((value) => `"${escapeUnits(value)}"`)
  const { value } = fc.letrec<{ value: string; list: string; members: string }>((tie) => ({
    value: fc.oneof({ maxDepth: 5 }, number, string, escaped, tie('list'), tie('members')),
    list: fc.array(tie('value'), { maxLength: 4 }).map((items) => `[ ${items.join(' ,\n')} ]`),
    members: fc
      .uniqueArray(fc.tuple(fc.string({ unit: 'binary' }), tie('value')), {
        selector: ([name]) => name,
        maxLength: 5,
      })
      .map((pairs) => `{${pairs.map(([name, text]) => `\t${JSON.stringify(name)} :${text}`).join(',')}}`),
  }))
  const texts = fc.sample(value, 300)
  const files = Object.fromEntries(texts.map((text, index) => [`d${index}/data.json`, `{"value":${text}}`]))
  const signatures = JSON.parse(await signFiles(files, createBundleKey('ES256'))) as { signatures: [string] }
  const payload = Buffer.from(signatures.signatures[0].split('.')[1] ?? '', 'base64url').toString()
  const { files: signed } = JSON.parse(payload) as { files: { name: string; hash: string }[] }
  expect(signed).toHaveLength(texts.length)
  const hashOf = (text = ''): string => createHash('sha256').update(canonicalJson(text)).digest('hex')
  expect(signed.map(({ name }) => ({ name, hash: hashOf(files[name]) }))).toEqual(
    signed.map(({ name, hash }) => ({ name, hash })),
  )
})

function escapeUnits(text: string): string {
  const units = Array.from({ length: text.length }, (_, index) => text.charCodeAt(index))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
