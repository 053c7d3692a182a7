import { createHmac, randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyedTokens } from '../../../gateway/audit/keyed-tokens.ts'

/** Any UTF-16 code units, controls and lone surrogates among them. */
const ANY_TEXT = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 80 })
  .map((units) => String.fromCharCode(...units))

describe('keyed tokens', () => {
  it('are HMAC-SHA-256 (RFC 2104) of the purpose and the value', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), ANY_TEXT, (key, value) => {
        const tokens = createKeyedTokens(Buffer.from(key), 'k1')
        const hmac = (purpose: string): Buffer =>
          createHmac('sha256', key).update(`${purpose}\0${value}`).digest()
        expect(tokens.tokenOf(value)).toBe(`hmac:k1:${hmac('value').subarray(0, 16).toString('base64url')}`)
        expect(tokens.commitmentTo(value)).toBe(`hmac:k1:${hmac('contents').toString('base64url')}`)
      }),
    )
  })

  it('are the same for contents of any length, one after another', () => {
    const key = randomBytes(32)
    const tokens = createKeyedTokens(key, 'k1')
    for (const text of [
      'x'.repeat(5_000),
      '\u20ac'.repeat(1_015),
      '\u20ac'.repeat(1_016),
      '\u20ac'.repeat(4_000),
      'x',
      '',
    ]) {
      const digest = createHmac('sha256', key).update(`contents\0${text}`).digest('base64url')
      expect(tokens.commitmentTo(text)).toBe(`hmac:k1:${digest}`)
    }
  })

  it('of one value are equal under one key and differ under another', () => {
    const [one, other] = [createKeyedTokens(randomBytes(32), 'k1'), createKeyedTokens(randomBytes(32), 'k1')]
    expect(one.tokenOf('4711')).toBe(one.tokenOf('4711'))
    expect(one.tokenOf('4711')).not.toBe(other.tokenOf('4711'))
  })

  it('refuse a key of another length', () => {
    expect(() => createKeyedTokens(Buffer.alloc(31), 'k1')).toThrow(RangeError)
  })
})
