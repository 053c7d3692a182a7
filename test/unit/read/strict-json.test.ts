import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseStrictJson } from '../../../gateway/lib/strict-json.ts'

const parse = (text: string) => parseStrictJson(Buffer.from(text), 64)

describe('Strict JSON', () => {
  it('reads what JSON.parse reads, for any value', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ noUnicodeString: false }),
        fc.constantFrom(undefined, 2),
        (value, indent) => {
          const text = JSON.stringify(value, undefined, indent)
          fc.pre(text.isWellFormed())
          expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) as unknown })
        },
      ),
      { numRuns: 300 },
    )
  })

  it.each([
    ['a repeated name', '{"a":1,"b":2,"a":3}'],
    ['a repeated name behind an escape', '{"a":1,"\\u0061":2}'],
    ['a repeated name deep down', '[{"a":{"b":1,"c":[{}],"b":2}}]'],
    ['a repeated __proto__', '{"__proto__":1,"__proto__":2}'],
    ['a lone surrogate', '{"a":"\\ud800"}'],
    ['a lone surrogate in a name', '{"\\udc00":1}'],
    ['a number beyond a double', '{"a":1e400}'],
    ['such a number without exponent', `[${'9'.repeat(400)}]`],
    ['a negative one', '[-1E+309]'],
    ['nesting too deep', `${'['.repeat(65)}${']'.repeat(65)}`],
    ['a byte order mark', '\ufeff{}'],
    ['a comment', '{} // x'],
    ['a trailing comma', '[1,]'],
    ['two documents', '{}{}'],
    ['nothing', ''],
    ['NaN', '[NaN]'],
    ['single quotes', "{'a':1}"],
  ])('refuses %s', (_, text) => {
    expect(parse(text)).toMatchObject({ ok: false })
  })

  it('refuses bytes that are not UTF-8', () => {
    expect(parseStrictJson(Buffer.from([0x22, 0xc3, 0x22]), 64)).toMatchObject({ ok: false })
    expect(parseStrictJson(Buffer.from('"a"', 'utf16le'), 64)).toMatchObject({ ok: false })
  })

  it.each([
    ['the same name in different objects', '[{"a":1},{"a":{"a":2}}]'],
    ['a name as a value too', '{"a":"a","b":["a","b"]}'],
    ['quotes, brackets and colons in strings', '{"a\\"":"{\\"b\\":[}]","b:":"\\\\"}'],
    ['numbers of every shape', '[0,-0,1.5,1e3,-2.5E-7,1e00000001,9007199254740993]'],
    ['an escaped pair of surrogates', '"\\ud83d\\ude00"'],
    ['nesting to the limit', `${'['.repeat(64)}${']'.repeat(64)}`],
    ['white space anywhere', ' {\n"a"\t:\r[ true , null ] } '],
  ])('accepts %s', (_, text) => {
    expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) as unknown })
  })

  it('gives __proto__ as a member, never as the prototype', () => {
    const reading = parse('{"__proto__":{"admin":true}}')
    expect(reading.ok && Object.getPrototypeOf(reading.value)).toBe(Object.prototype)
    expect(reading.ok && Object.keys(reading.value as object)).toEqual(['__proto__'])
  })
})
