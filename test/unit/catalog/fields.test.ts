import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasLookalike, readFields } from '../../../gateway/catalog/fields.ts'

function fieldsOf(text: string): Record<string, readonly string[]> | undefined {
  const reading = readFields(text)
  return reading.ok ? Object.fromEntries(reading.fields) : undefined
}

describe('fields of a query or a form', () => {
  it('keep every value in order', () => {
    expect(fieldsOf('a=1&b=2&a=3')).toEqual({ a: ['1', '3'], b: ['2'] })
  })

  it('decode plus signs, triplets and names', () => {
    expect(fieldsOf('a+b=c+d&%C3%A4=%26')).toEqual({ 'a b': ['c d'], ä: ['&'] })
  })

  it('may have no value, no name, or nothing', () => {
    expect(fieldsOf('a&=b&&')).toEqual({ a: [''], '': ['b'] })
    expect(fieldsOf('')).toEqual({})
  })

  it.each([
    ['a raw semicolon', 'a=1;b=2'],
    ['a broken triplet', 'a=%2'],
    ['an octet that is not UTF-8', 'a=%ff'],
    ['an overlong encoding', 'a=%c0%af'],
    ['more fields than anyone sends', 'a=1&'.repeat(1001)],
  ])('with %s are refused', (_what, text) => {
    expect(fieldsOf(text)).toBeUndefined()
  })

  it('read as the platform reads them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }))),
        (pairs) => {
          const wellFormed = pairs.map(([name, value]): [string, string] => [
            name.toWellFormed(),
            value.toWellFormed(),
          ])
          const text = new URLSearchParams(wellFormed).toString()
          const expected = [...Map.groupBy(new URLSearchParams(text), ([name]) => name)].map(
            ([name, entries]) => [name, entries.map(([, value]) => value)] as const,
          )
          const read = readFields(text)
          expect(read.ok && [...read.fields]).toEqual(expected)
        },
      ),
    )
  })
})

describe('a field that looks like another', () => {
  it.each([
    'channel[]',
    'channel[0]',
    'channel[',
    ' channel',
    'channel ',
    'Channel',
    'channel\0x',
    'CHANNEL[a][b]',
  ])('%j looks like channel', (name) => {
    expect(hasLookalike(new Map([[name, ['x']]]), 'channel')).toBe(true)
  })

  it.each(['channel.id', 'channel id', 'channel[id', 'CHANNEL_ID'])('%j looks like channel_id', (name) => {
    expect(hasLookalike(new Map([[name, ['x']]]), 'channel_id')).toBe(true)
  })

  it.each(['channel', 'channels', 'channel_id', 'subchannel', ''])('%j does not', (name) => {
    expect(hasLookalike(new Map([[name, ['x']]]), 'channel')).toBe(false)
  })
})
