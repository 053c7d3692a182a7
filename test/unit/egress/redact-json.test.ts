import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redactJson } from '../../../gateway/egress/redact-json.ts'
import { compilePointers } from '../../../gateway/egress/redact-pointers.ts'

function redacted(text: string | Buffer, ...pointers: string[]): string {
  const redaction = redactJson(Buffer.from(text), compilePointers(pointers))
  return redaction.ok ? redaction.bytes.toString() : `refused: ${redaction.reason}`
}

describe('a redacted answer', () => {
  it('keeps every other byte, numbers that no double can hold and spacing among them', () => {
    const text = '{ "id": 9007199254740993,\n "ssn" : "123-45-6789" , "rate":1.50, "b":[1e400 ,{}] }'
    expect(redacted(text, '/ssn')).toBe(text.replace('"123-45-6789"', '"[redacted]"'))
  })

  it('shows a text as redacted and anything else as null', () => {
    expect(redacted('{"a":"x","b":12.5,"c":{"d":[1]},"e":[{}],"f":true}', '/a', '/b', '/c', '/e', '/f')).toBe(
      '{"a":"[redacted]","b":null,"c":null,"e":null,"f":null}',
    )
  })

  it('is the answer itself where nothing is named that is there', () => {
    expect(redacted('{"a":1}', '/b', '/a/c', '/0')).toBe('{"a":1}')
  })

  it.each([
    ['an element by its number', '[["a","b"],["c"]]', ['/0/1'], '[["a","[redacted]"],["c"]]'],
    ['every element', '[{"s":"a"},{"s":"b"}]', ['/*/s'], '[{"s":"[redacted]"},{"s":"[redacted]"}]'],
    [
      'every member',
      '{"x":{"s":"a"},"y":{"s":"b"}}',
      ['/*/s'],
      '{"x":{"s":"[redacted]"},"y":{"s":"[redacted]"}}',
    ],
    ['a member called by a number', '{"0":"a"}', ['/0'], '{"0":"[redacted]"}'],
    ['an empty name', '{"":"a"}', ['/'], '{"":"[redacted]"}'],
    [
      'a name with a slash and a tilde',
      '{"a/b~":"x","a":{"b~":"y"}}',
      ['/a~1b~0'],
      '{"a/b~":"[redacted]","a":{"b~":"y"}}',
    ],
    ['a name that would be escaped twice', '{"~1":"x","/":"y"}', ['/~01'], '{"~1":"[redacted]","/":"y"}'],
    ['the outer of two places', '{"a":{"b":"x"}}', ['/a', '/a/b'], '{"a":null}'],
    [
      'a name like one of every object',
      '{"__proto__":"x","constructor":"y"}',
      ['/__proto__'],
      '{"__proto__":"[redacted]","constructor":"y"}',
    ],
  ])('finds %s', (_what, text, pointers, expected) => {
    expect(redacted(text, ...pointers)).toBe(expected)
  })
})

describe('redaction is not evaded', () => {
  it('by a member that is there twice, wherever on the way', () => {
    expect(redacted('{"ssn":"a","ssn":"b"}', '/ssn')).toBe('{"ssn":"[redacted]","ssn":"[redacted]"}')
    expect(redacted('{"u":{"ssn":"a"},"u":{"ssn":"b"}}', '/u/ssn')).toBe(
      '{"u":{"ssn":"[redacted]"},"u":{"ssn":"[redacted]"}}',
    )
  })

  it('by a name that is written in escapes', () => {
    expect(redacted(String.raw`{"s\u0073n":"a","\u0073\u0073\u006E":"b"}`, '/ssn')).toBe(
      String.raw`{"s\u0073n":"[redacted]","\u0073\u0073\u006E":"[redacted]"}`,
    )
    expect(redacted(String.raw`{"a\/b":"x"}`, '/a~1b')).toBe(String.raw`{"a\/b":"[redacted]"}`)
  })

  it('by text that looks like the end of a string', () => {
    expect(redacted(String.raw`{"a":"\\","ssn":"\"}","b":"\\\""}`, '/ssn')).toBe(
      String.raw`{"a":"\\","ssn":"[redacted]","b":"\\\""}`,
    )
  })

  it.each([
    ['a second document', '{"a":1}{"ssn":"x"}'],
    ['a document per line', '{"a":1}\n{"ssn":"x"}\n'],
    ['a byte order mark', '\ufeff{"ssn":"x"}'],
    ['a comment', '{/*"*/"ssn":"x"/*"*/}'],
    ['a trailing comma', '{"ssn":"x",}'],
    ['a name without quotes', '{ssn:"x"}'],
    ['single quotes', "{'ssn':'x'}"],
    ['a raw line break in a string', '{"a":"\n","ssn":"x"}'],
    ['an escape of nobody', String.raw`{"\x73sn":"x"}`],
    ['half an escape', String.raw`{"\u007":"x"}`],
    ['a guard against script inclusion', ')]}\',\n{"ssn":"x"}'],
    ['NaN', '{"ssn":NaN}'],
    ['a number with a leading zero', '{"a":01}'],
    ['a number that breaks off', '{"a":1.}'],
    ['text that breaks off', '{"ssn":"x"'],
    ['a string that breaks off', '{"ssn":"x'],
    ['nothing', ''],
    ['blanks', ' \n'],
    ['nesting that overflows a stack', '['.repeat(100_000)],
  ])('by %s: the answer is refused', (_what, text) => {
    expect(redacted(text, '/ssn')).toMatch(/^refused: /)
  })

  it('by another charset: the answer is refused', () => {
    expect(redacted(Buffer.from('{"ssn":"x"}', 'utf16le'), '/ssn')).toMatch(/^refused: /)
    expect(redacted(Buffer.from('{"ssn":"\u00e9"}', 'latin1'), '/ssn')).toMatch(/^refused: /)
    expect(redacted(Buffer.from([0x7b, 0x22, 0xc1, 0xb3, 0x22, 0x3a, 0x31, 0x7d]), '/s')).toMatch(
      /^refused: /,
    )
  })
})

describe('any text', () => {
  const parses = (text: string): boolean => {
    try {
      JSON.parse(text)
      return true
    } catch {
      return false
    }
  }

  it('is taken for JSON exactly where JSON.parse does', () => {
    const nearly = fc
      .tuple(
        fc.json({ maxDepth: 3 }),
        fc.nat(),
        fc.constantFrom('', '"', '{', '}', ',', ':', '\\', '0', '.', 'e', '-', ' ', 'u', '[', '\t', '\u0001'),
      )
      .map(
        ([text, at, put]) =>
          text.slice(0, at % (text.length + 1)) + put + text.slice((at % (text.length + 1)) + 1),
      )
    const texts = fc.oneof(fc.json(), nearly, fc.string())
    fc.assert(
      fc.property(texts, (text) => {
        const wellFormed = text.toWellFormed()
        expect(redactJson(Buffer.from(wellFormed), compilePointers(['/a'])).ok).toBe(parses(wellFormed))
      }),
      { numRuns: 2_000 },
    )
  })

  it('has the named members replaced and all else as it was', () => {
    const key = fc.constantFrom('a', 'b', '0', '1', '~', '/', '*', '')
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.string(),
        fc.integer(),
        fc.constantFrom(true, null),
        tie('list'),
        tie('object'),
      ),
      list: fc.array(tie('value'), { maxLength: 4 }),
      object: fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    }))
    const token = fc.constantFrom('a', 'b', '0', '1', '~0', '~1', '*', '')
    const pointers = fc.array(fc.array(token, { minLength: 1, maxLength: 4 }), { maxLength: 4 })
    fc.assert(
      fc.property(value, pointers, fc.nat(4), (document, paths, indent) => {
        const text = JSON.stringify(document, undefined, indent)
        const redaction = redacted(text, ...paths.map((path) => `/${path.join('/')}`))
        const tokens = paths.map((path) =>
          path.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')),
        )
        expect(JSON.parse(redaction)).toEqual(expectedOf(document, tokens))
        expect(redaction).toBe(JSON.stringify(expectedOf(document, tokens), undefined, indent))
      }),
      { numRuns: 2_000 },
    )
  })
})

/** The same by the book: parse, follow each pointer, replace. */
function expectedOf(value: unknown, paths: readonly (readonly string[])[]): unknown {
  if (paths.some((path) => path.length === 0)) return typeof value === 'string' ? '[redacted]' : null
  if (typeof value !== 'object' || value === null || paths.length === 0) return value
  const below = (name: string): readonly (readonly string[])[] =>
    paths.filter(([token]) => token === '*' || token === name).map((path) => path.slice(1))
  if (Array.isArray(value)) return value.map((child, index) => expectedOf(child, below(String(index))))
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [name, expectedOf(child, below(name))]),
  )
}
