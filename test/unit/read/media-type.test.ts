import { describe, expect, it } from 'vitest'
import { isJsonType, parseMediaType } from '../../../gateway/lib/media-type.ts'

describe('A media type', () => {
  it.each([
    ['application/json', 'application/json', {}],
    ['Application/JSON ; Charset=UTF-8', 'application/json', { charset: 'UTF-8' }],
    ['application/vnd.github+json', 'application/vnd.github+json', {}],
    ['multipart/form-data; boundary="a b;c"', 'multipart/form-data', { boundary: 'a b;c' }],
    ['text/plain; a="q\\"x"; b=c', 'text/plain', { a: 'q"x', b: 'c' }],
    ['text/plain;', 'text/plain', {}],
  ])('is read: %s', (value, essence, parameters) => {
    const parsed = parseMediaType(value)
    expect(parsed?.essence).toBe(essence)
    expect(Object.fromEntries(parsed?.parameters ?? [])).toEqual(parameters)
  })

  it.each([
    '',
    'json',
    'application/',
    'application/json, text/plain',
    'application/json charset=utf-8',
    'application/json; charset',
    'application/json; charset=utf-8; Charset=utf-16',
    'application/json; charset="utf-8',
    'application/json; charset=utf-8 x',
    'text/\u00e9',
    `text/plain; a=${'b'.repeat(300)}`,
  ])('is not one: "%s"', (value) => {
    expect(parseMediaType(value)).toBeUndefined()
  })

  it('is JSON by name or by suffix', () => {
    expect(
      ['application/json', 'application/scim+json', 'text/json', 'application/jsonp'].map(isJsonType),
    ).toEqual([true, true, false, false])
  })
})
