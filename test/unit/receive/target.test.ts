import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readTarget } from '../../../gateway/listen/rules/target.ts'

const AWKWARD = [
  '/',
  '//',
  '.',
  '..',
  '%2e',
  '%2F',
  '%252f',
  '%5c',
  '%00',
  '%',
  ';',
  '\\',
  '?',
  '#',
  '[',
  '%C3%A9',
  '%ff',
]
const awkward = fc.constantFrom(...AWKWARD)

describe('A target', () => {
  it.each([
    ['/', '/', ''],
    ['/repos/zyx/platform-infra/pulls/991', '/repos/zyx/platform-infra/pulls/991', ''],
    ['/a/', '/a/', ''],
    ['/a?b=c&d[]=e', '/a', 'b=c&d[]=e'],
    ['/a?b=?/c', '/a', 'b=?/c'],
    ['/a?', '/a', ''],
    ['/contents/src%2Fmain.ts', '/contents/src%2Fmain.ts', ''],
    ['/wiki/rest/caf%C3%A9', '/wiki/rest/caf%C3%A9', ''],
    ["/a/b!$&'()*+,=:@~-._", "/a/b!$&'()*+,=:@~-._", ''],
    ['/compare/main...feature', '/compare/main...feature', ''],
    ['/a/100%25-done', '/a/100%25-done', ''],
    ['/a?text=caf%C3%A9%0Aline', '/a', 'text=caf%C3%A9%0Aline'],
  ])('passes as it is: %s', (target, path, query) => {
    expect(readTarget(target)).toEqual({ ok: true, value: { path, query } })
  })

  it.each([
    ['', '*', 'a', 'http://a/b', 'a:443', '?a'],
    ['//', '/a//b', '/./a', '/a/..', '/a/.', '/..%2fb', '/%2e', '/%2E%2e/'],
    [
      '/a%2',
      '/a%',
      '/a%g0',
      '/a%00',
      '/a%1f',
      '/a%7f',
      '/a%5C',
      '/a\\',
      '/a;b',
      '/a%252e',
      '/a%25252f',
      '/a%2500',
    ],
    ['/a b', '/a\tb', '/a\u0000', '/a\u00e9', '/a#b', '/a"', '/a<', '/a|b', '/a^', '/a`', '/a{b}'],
    ['/a?b c', '/a?\u0000', '/a?\u00e9', '/a?#', '/a?b\\c', '/a?%', '/a?%zz', '/a?%00', '/a?%ff', '/a?"'],
    [`/${'a'.repeat(8192)}`],
  ])('is refused in each of these spellings', (...targets) => {
    for (const target of targets) {
      expect([target, readTarget(target)]).toMatchObject([
        target,
        { ok: false, refusal: { code: 'request.target_invalid' } },
      ])
    }
  })

  it('is either refused or comes out byte for byte as it went in', () => {
    const targets = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.oneof(awkward, fc.string({ maxLength: 4 })), { maxLength: 12 })
        .map((parts) => `/${parts.join('')}`),
    )
    fc.assert(
      fc.property(targets, (target) => {
        const reading = readTarget(target)
        if (!reading.ok) return
        const { path, query } = reading.value
        expect(target === path || target === `${path}?${query}`).toBe(true)
      }),
      { numRuns: 5000 },
    )
  })

  it('means the same path to a WHATWG URL parser, which normalises what it can', () => {
    const paths = fc.array(fc.oneof(awkward, fc.string({ maxLength: 4 })), { maxLength: 12 })
    const changed = fc
      .sample(paths, 5000)
      .map((parts) => readTarget(`/${parts.join('')}`))
      .flatMap((reading) => (reading.ok ? [reading.value.path] : []))
      .filter((path) => new URL(`http://gateway${path}`).pathname !== path)
    expect(changed).toEqual([])
  })
})
