import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseXfcc } from '../../../gateway/identity/xfcc.ts'

const entries = (value: string) => parseXfcc(value)?.map((element) => [...element.entries()])

describe('an X-Forwarded-Client-Cert header', () => {
  test('is read by element and key, with keys in any case and repeated keys in order', () => {
    expect(entries('By=a;HASH=b;URI=c;uri=d,Hash=e')).toEqual([
      [
        ['by', ['a']],
        ['hash', ['b']],
        ['uri', ['c', 'd']],
      ],
      [['hash', ['e']]],
    ])
  })

  test('has separators and escaped quotes inside quotes', () => {
    expect(entries('Subject="CN=a,O=\\"b;c\\"";Hash=d')).toEqual([
      [
        ['subject', ['CN=a,O="b;c"']],
        ['hash', ['d']],
      ],
    ])
  })

  test.each([
    ['nothing', ''],
    ['a key alone', 'Hash'],
    ['a key that Envoy does not know', 'Role=admin'],
    ['an empty element', 'Hash=a,'],
    ['an empty pair', 'Hash=a;;URI=b'],
    ['an unclosed quote', 'Subject="a'],
    ['text after a quote', 'Subject="a"b'],
    ['a quote inside a bare value', 'Subject=a"b'],
    ['an unquoted separator in a value', 'Subject=CN=a'],
    ['a space before a key', 'Hash=a, Hash=b'],
    ['a stray backslash', 'Subject="a\\b"'],
    ['more elements than any chain of proxies', Array.from({ length: 17 }, () => 'Hash=a').join(',')],
  ])('with %s is not read at all', (_what, value) => {
    expect(parseXfcc(value)).toBeUndefined()
  })

  test('gives back what was written, whatever the values', () => {
    const pair = fc.tuple(fc.constantFrom('by', 'hash', 'subject', 'uri', 'dns'), fc.string())
    fc.assert(
      fc.property(fc.array(pair, { minLength: 1, maxLength: 8 }), (pairs) => {
        const written = pairs
          .map(([name, value]) => `${name}="${value.replaceAll(/["\\]/g, '\\$&')}"`)
          .join(';')
        const [element] = parseXfcc(written) ?? []
        for (const name of new Set(pairs.map(([one]) => one))) {
          expect(element?.get(name)).toEqual(pairs.filter(([one]) => one === name).map(([, value]) => value))
        }
      }),
    )
  })
})
