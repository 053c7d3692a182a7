import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeParameter, readRawPath } from '../../../gateway/catalog/raw-path.ts'

function segmentsOf(path: string): readonly string[] | undefined {
  const reading = readRawPath(path)
  return reading.ok ? reading.segments : undefined
}

describe('a raw path', () => {
  it.each([
    ['/', ['']],
    ['/a', ['a']],
    ['/a/b', ['a', 'b']],
    ['/a/', ['a', '']],
    ['/a%2Fb', ['a%2Fb']],
    ['/a%2fb', ['a%2fb']],
    ['/a%20b', ['a%20b']],
    ['/%7Euser', ['%7Euser']],
    ['/a%3Bb', ['a%3Bb']],
    ['/100%25done', ['100%25done']],
    ["/a-._~!$&'()*+,=:@", ["a-._~!$&'()*+,=:@"]],
    ['/...', ['...']],
    ['/.github', ['.github']],
  ])('%s is split and left as it is', (path, segments) => {
    expect(segmentsOf(path)).toEqual(segments)
  })

  it.each([
    ['nothing', ''],
    ['no leading slash', 'a/b'],
    ['an absolute address', 'http://host/a'],
    ['an empty segment', '/a//b'],
    ['an empty first segment', '//a'],
    ['two trailing slashes', '/a//'],
    ['a dot segment', '/a/./b'],
    ['a double dot segment', '/a/../b'],
    ['a final double dot', '/a/..'],
    ['an encoded dot segment', '/a/%2e%2e/b'],
    ['a half encoded dot segment', '/a/.%2E/b'],
    ['a path parameter', '/a;v=1/b'],
    ['a backslash', '/a\\b'],
    ['an encoded backslash', '/a%5cb'],
    ['a NUL', '/a%00'],
    ['a line break', '/a%0d%0ab'],
    ['a raw control character', '/a\u0001'],
    ['a DEL', '/a%7f'],
    ['an encoded letter', '/%61'],
    ['an encoded digit', '/%31'],
    ['an encoded hyphen', '/a%2Db'],
    ['a double encoded slash', '/a%252Fb'],
    ['a double encoded slash in lower case', '/a%252fb'],
    ['a double encoded dot', '/a/%252e%252e'],
    ['a double encoded backslash', '/a%255cb'],
    ['a triple encoded slash', '/a%25252Fb'],
    ['a broken triplet', '/a%2'],
    ['a triplet that is not hex', '/a%zz'],
    ['a percent sign alone', '/100%'],
    ['a question mark left in', '/a?b'],
    ['a fragment', '/a#b'],
    ['a space', '/a b'],
    ['a letter outside ASCII', '/ä'],
    ['a quote', '/"a"'],
    ['an angle bracket', '/<a>'],
    ['a brace', '/{owner}'],
    ['more segments than any template', '/a'.repeat(129)],
    ['more characters than any template', `/${'a'.repeat(8192)}`],
  ])('with %s is refused', (_what, path) => {
    expect(segmentsOf(path)).toBeUndefined()
  })

  it('gives the same bytes back when its segments are joined', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 40 }), (text) => {
        const path = `/${text}`
        expect(`/${(segmentsOf(path) ?? [text]).join('/')}`).toBe(path)
      }),
      { numRuns: 2000 },
    )
  })

  it('never lets a segment through that a decoder turns into a dot segment or two segments of dots', () => {
    const awkward = fc.constantFrom(
      '.',
      '..',
      '%2e',
      '%2E',
      '%2f',
      '%252e',
      '%5c',
      '\\',
      ';',
      'a',
      '/',
      '%00',
    )
    fc.assert(
      fc.property(fc.array(awkward, { maxLength: 8 }), (parts) => {
        const segments = segmentsOf(`/${parts.join('')}`) ?? []
        const decoded = segments.flatMap((segment) => (decodeParameter(segment, true) ?? '').split('/'))
        expect(decoded.filter((part) => part === '.' || part === '..')).toEqual([])
      }),
      { numRuns: 5000 },
    )
  })
})

describe('the value of a parameter', () => {
  it.each([
    ['main', false, 'main'],
    ['a%20b', false, 'a b'],
    ['%C3%A4', false, 'ä'],
    ['feature%2Fx', true, 'feature/x'],
    ['a/b/c', true, 'a/b/c'],
    ['a%252B', false, 'a%2B'],
  ])('%s is decoded once', (raw, slash, value) => {
    expect(decodeParameter(raw, slash)).toBe(value)
  })

  it.each([
    ['a slash where the template has none', 'a%2Fb', false],
    ['dots between encoded slashes', 'a%2F..%2Fb', true],
    ['a leading slash', '%2Fetc', true],
    ['a trailing slash', 'a%2F', true],
    ['two slashes', 'a%2F%2Fb', true],
    ['a raw trailing slash', 'a/', true],
    ['an overlong encoding', '%C0%AF', true],
    ['half a character', '%C3', false],
    ['a surrogate', '%ED%A0%80', false],
  ])('with %s is refused', (_what, raw, slash) => {
    expect(decodeParameter(raw, slash)).toBeUndefined()
  })
})
