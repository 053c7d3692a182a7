import { describe, expect, test } from 'vitest'
import { callOf } from '../../../../gateway/audit/verify/calls.ts'

/** What stands in an entry after the id of its call, and what it says of the call. */
const ENTRIES: readonly [string, string, 'decision' | 'outcome' | 'unknown' | undefined][] = [
  ['a decision', '"credential":"file:1","type":"decision","v":1,"who":{"agent":"a"}', 'decision'],
  ['a decision without a credential', '"decision":"allow","type":"decision","v":1', 'decision'],
  ['an outcome', '"detail":"","outcome":"allowed","type":"outcome","v":1', 'outcome'],
  ['a refusal', '"detail":"","type":"outcome","v":1,"what":{"access":"read"},"who":{"agent":"a"}', 'outcome'],
  ['an end in doubt', '"epoch":"e","outcome":"unknown","status":0,"type":"outcome","v":1', 'unknown'],
  ['an outcome that is of no recovery', '"detail":"","outcome":"unknown","type":"outcome","v":1', 'outcome'],
  ['a shadow', '"kind":"changed","type":"shadow","v":1', undefined],
  ['nothing', '"kind":"changed","v":1', undefined],
  [
    'an outcome whose text pretends to be a decision',
    `"detail":${JSON.stringify('","type":"decision","v":1}')},"type":"outcome","v":1`,
    'outcome',
  ],
  [
    'a shadow whose last text pretends to be an outcome',
    `"type":"shadow","v":1,"who":${JSON.stringify('"type":"outcome"')}`,
    undefined,
  ],
]

describe('callOf', () => {
  test.for(ENTRIES)('reads %s without parsing it', ([, members, kind]) => {
    const entry = Buffer.from(`{"call":"0199c2f0",${members}}`)
    expect(callOf(entry)).toEqual(kind && { kind, call: '0199c2f0' })
  })

  test('parses an entry that begins with something else', () => {
    const entry = Buffer.from('{"approval":{"id":"1"},"call":"0199c2f0","type":"decision","v":1}')
    expect(callOf(entry)).toEqual({ kind: 'decision', call: '0199c2f0' })
  })
})
