import { describe, expect, it } from 'vitest'
import { HeaderList } from '../../../gateway/lib/header-list.ts'
import { parseTraceparent } from '../../../gateway/lib/traceparent.ts'
import { readTrace } from '../../../gateway/listen/rules/trace.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'
const randomHex = (sizeBytes: number): string => 'ab'.repeat(sizeBytes)

describe('A traceparent', () => {
  it.each([
    [`00-${TRACE}-${PARENT}-01`, true],
    [`00-${TRACE}-${PARENT}-00`, false],
    [`00-${TRACE}-${PARENT}-03`, true],
    [`cc-${TRACE}-${PARENT}-01-what-the-future-brings`, true],
  ])('is read: %s', (value, sampled) => {
    expect(parseTraceparent(value)).toEqual({ traceId: TRACE, parentId: PARENT, sampled })
  })

  it.each([
    '',
    'x',
    `ff-${TRACE}-${PARENT}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${PARENT}-01-more`,
    `00-${TRACE}-${PARENT}-1`,
    ` 00-${TRACE}-${PARENT}-01`,
    `cc-${TRACE}-${PARENT}-01-${'a'.repeat(300)}`,
  ])('is invalid: "%s"', (value) => {
    expect(parseTraceparent(value)).toBeUndefined()
  })
})

describe('The trace of a call', () => {
  it("continues the caller's with a span of its own", () => {
    const headers = new HeaderList([
      'traceparent',
      `00-${TRACE}-${PARENT}-01`,
      'tracestate',
      'a=1',
      'tracestate',
      'b=2',
    ])
    expect(readTrace(headers, randomHex)).toEqual({
      traceId: TRACE,
      parentId: PARENT,
      spanId: 'abababababababab',
      sampled: true,
      state: 'a=1,b=2',
    })
  })

  it('begins anew, and drops the state, where the caller sent none that is valid', () => {
    for (const flat of [[], ['traceparent', 'nonsense', 'tracestate', 'a=1']]) {
      expect(readTrace(new HeaderList(flat), randomHex)).toEqual({
        traceId: 'ab'.repeat(16),
        parentId: undefined,
        spanId: 'ab'.repeat(8),
        sampled: false,
        state: undefined,
      })
    }
  })

  it('drops a state that is too long or not printable', () => {
    for (const state of ['a='.padEnd(513, 'b'), 'a=\xe9']) {
      const headers = new HeaderList(['traceparent', `00-${TRACE}-${PARENT}-01`, 'tracestate', state])
      expect(readTrace(headers, randomHex)).toMatchObject({ traceId: TRACE, state: undefined })
    }
  })
})
