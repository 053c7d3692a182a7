import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeCanonical, parseCompact } from '../../../gateway/identity/compact.ts'

const part = (text: string): string => Buffer.from(text).toString('base64url')
const parse = (text: string) => parseCompact(text, 'identity.token_invalid')

describe('a JWS in compact form', () => {
  test('is taken apart', () => {
    expect(parse(`${part('{"alg":"ES256"}')}.${part('{"sub":"a"}')}.AAAA`)).toMatchObject({
      ok: true,
      value: { header: { alg: 'ES256' }, claims: { sub: 'a' }, signature: Buffer.alloc(3) },
    })
  })

  test.each([
    ['a member named __proto__ twice', part('{"__proto__":1,"__proto__":2}')],
    ['a name twice, once with an escape', part('{"sub":1,"s\\u0075b":2}')],
    ['a name twice in a nested object', part('{"cnf":{"jkt":1,"jkt":2}}')],
    ['an array', part('[]')],
    ['null', part('null')],
    ['a string', part('"a"')],
    ['text after the object', part('{}{}')],
    [
      'octets that are not UTF-8',
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]).toString('base64url'),
    ],
    ['nesting without end', part('['.repeat(50))],
  ])('with %s as its claims is refused', (_what, claims) => {
    expect(parse(`${part('{}')}.${claims}.AAAA`)).toMatchObject({ ok: false })
  })

  test('whatever is sent, it is refused or read, and never thrown at', () => {
    const anything = fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z0-9_.-]*$/), fc.base64String())
    fc.assert(
      fc.property(anything, (text) => {
        expect(parse(text)).toHaveProperty('ok')
      }),
    )
  })
})

describe('canonical base64url', () => {
  test('is the only text of its octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (octets) => {
        const text = Buffer.from(octets).toString('base64url')
        expect(decodeCanonical(text)).toEqual(Buffer.from(octets))
      }),
    )
  })

  test.each(['AB', 'AAB', 'A', 'AA==', 'A+', 'A/', 'A A', 'AAAA\n'])('is not %j', (text) => {
    expect(decodeCanonical(text)).toBeUndefined()
  })
})
