import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { looksSecret, printable, scrub } from '../../../gateway/lib/scrub.ts'

/** Put together here so that no scanner takes this file for a leak. */
const SECRETS: readonly (readonly [string, string])[] = [
  ['a JSON Web Token', ['eyJhbGciOiJFUzI1NiJ9', 'eyJzdWIiOiJhIn0', 'c2lnbmF0dXJl'].join('.')],
  ['a GitHub token', `ghp_${'a1B2'.repeat(9)}`],
  ['a Slack token', ['xoxb', '123456789012', 'abcdefgh'].join('-')],
  ['a Stripe key', `sk_live_${'abcd1234'.repeat(3)}`],
  ['an AWS key id', ['AKIA', 'IOSFODNN7EXAMPLE'].join('')],
  ['an Authorization value', 'DPoP abcdefgh12345678'],
  ['a Basic credential', 'Basic dXNlcjpwYXNzd29yZA=='],
  ['a private key', '-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----'],
  ['a private key without its end', '-----BEGIN EC PRIVATE KEY-----\nMC4CAQAw'],
  ['a mixed run', 'Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZg'],
]

/** Any UTF-16 code units, controls and lone surrogates among them. */
const ANY_TEXT = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 120 })
  .map((units) => String.fromCharCode(...units))

describe('scrubbed text', () => {
  it.each(SECRETS)('does not hold %s', (_, secret) => {
    const scrubbed = scrub(`deploying with ${secret} now`, 512)
    expect(scrubbed).not.toContain(secret.slice(-12))
    expect(scrubbed).toContain('[removed]')
    expect(looksSecret(secret)).toBe(true)
  })

  it('is the same behind what no secret begins with as behind what one might', () => {
    const heads = ['-----BEGIN ', 'PRIVATE KEY-----', '-----END ', 'eyJ', 'BeArEr ', 'dpoP\t', 'basic ']
    const tokens = [
      'ghp_',
      'github_pat_',
      'glpat-',
      'xoxb-',
      'xapp-',
      'sk_live_',
      'rk_test_',
      'sk-',
      'ATATT',
      'AKIA',
      'ASIA',
      'AIza',
    ]
    const filling = ['abcdef', 'A1b2C3d4E5f6', '.', '@', 'u:p', '://', ' ', '\n', 'ſ', 'K', 'a1B2'.repeat(9)]
    const part = fc.constantFrom(...heads, ...tokens, ...filling)
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const text = parts.join('')
        // The address in front makes it look for every shape.
        expect(`x:// ${scrub(text, 2_048)}`).toBe(scrub(`x:// ${text}`, 2_048))
        expect(looksSecret(text)).toBe(looksSecret(`x:// ${text}`))
      }),
      { numRuns: 2_000 },
    )
  })

  it('does not hold the password of an address', () => {
    expect(scrub('redis://user:hunter2@host:6379/0 refused', 512)).toBe(
      'redis://[removed]@host:6379/0 refused',
    )
  })

  it('does not hold the head of a secret that the limit cuts', () => {
    expect(scrub(`${'x '.repeat(20)}ghp_${'a1B2'.repeat(9)}`, 50)).not.toContain('ghp_')
  })

  it.each([
    'CHG-18422: rotate the bucket policy of platform-infra',
    '0190163d-8694-739b-aea5-966c26f8ad91',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'zyx/platform-infra',
  ])('keeps %s', (text) => {
    expect(scrub(text, 512)).toBe(text)
    expect(looksSecret(text)).toBe(false)
  })

  it('is never longer than its limit, and always one printable line', () => {
    fc.assert(
      fc.property(ANY_TEXT, fc.integer({ min: 1, max: 200 }), (text, limit) => {
        const scrubbed = scrub(text, limit)
        expect(scrubbed.length).toBeLessThanOrEqual(limit)
        expect(scrubbed).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u)
        expect(scrubbed.isWellFormed()).toBe(true)
      }),
    )
  })

  it('shows where it was cut', () => {
    expect(printable('abcdef', 4)).toBe('abc…')
  })

  it('costs little for hostile text', () => {
    const startedMs = performance.now()
    for (const part of ['eyJ', 'a.', '-----BEGIN ', '://a:', 'bearer ', 'xoxb-', 'A1a_']) {
      scrub(part.repeat(10_000), 1_024)
    }
    expect(performance.now() - startedMs).toBeLessThan(250)
  })
})
