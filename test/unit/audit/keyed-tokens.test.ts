import { createHmac, randomBytes } from 'node:crypto'
import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyedTokens, openTokenKey } from '../../../gateway/audit/keyed-tokens.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'

/** Any UTF-16 code units, controls and lone surrogates among them. */
const ANY_TEXT = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 80 })
  .map((units) => String.fromCharCode(...units))

describe('keyed tokens', () => {
  it('are HMAC-SHA-256 (RFC 2104) of the purpose and the value', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), ANY_TEXT, (key, value) => {
        const tokens = createKeyedTokens(Buffer.from(key))
        const hmac = (purpose: string): Buffer =>
          createHmac('sha256', key).update(`${purpose}\0${value}`).digest()
        expect(tokens.tokenOf(value)).toBe(`hmac:${hmac('value').subarray(0, 16).toString('base64url')}`)
        expect(tokens.commitmentTo(value)).toBe(`hmac:${hmac('contents').toString('base64url')}`)
      }),
    )
  })

  it('of one value are equal under one key and differ under another', () => {
    const [one, other] = [createKeyedTokens(randomBytes(32)), createKeyedTokens(randomBytes(32))]
    expect(one.tokenOf('4711')).toBe(one.tokenOf('4711'))
    expect(one.tokenOf('4711')).not.toBe(other.tokenOf('4711'))
  })

  it('refuse a key of another length', () => {
    expect(() => createKeyedTokens(Buffer.alloc(31))).toThrow(RangeError)
  })
})

describe('the token key', () => {
  it('is made once, for this user alone, and the same for all who start together', async () => {
    await using directory = await temporaryDirectory()
    const keys = await Promise.all(Array.from({ length: 8 }, () => openTokenKey(directory.path)))
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1)
    expect(await readdir(directory.path)).toEqual(['token.key'])
    expect((await stat(join(directory.path, 'token.key'))).mode & 0o777).toBe(0o600)
  })

  it('that was cut short is not used', async () => {
    await using directory = await temporaryDirectory()
    await writeFile(join(directory.path, 'token.key'), 'short')
    const key = await openTokenKey(directory.path)
    expect(() => createKeyedTokens(key)).toThrow(RangeError)
  })
})
