import { expect, it } from 'vitest'
import { commitmentOf, readSalted, saltValue } from '../../../../gateway/audit/disclosures/salted.ts'

it('a commitment is the digest of an SD-JWT disclosure: the example of RFC 9901 §4.2.3', () => {
  const text = '["_26bc4LT-ac6q2KI6cBW5es", "family_name", "Möbius"]'
  expect(Buffer.from(text).toString('base64url')).toBe(
    'WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0',
  )
  expect(commitmentOf(text)).toBe('X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0')
  expect(readSalted(text)).toEqual({ path: 'family_name', value: 'Möbius' })
})

it('equal values have commitments that have nothing in common, by a salt of 128 bits', () => {
  const made = Array.from({ length: 500 }, () => saltValue('account', '"4711"'))
  expect(new Set(made.map(({ commitment }) => commitment)).size).toBe(500)
  for (const { text, commitment } of made) {
    const [salt] = JSON.parse(text) as [string]
    expect(Buffer.from(salt, 'base64url').length).toBe(16)
    expect(commitmentOf(text)).toBe(commitment)
    expect(readSalted(text)).toEqual({ path: 'account', value: '4711' })
  }
})

it.each(['', '{}', '[]', '["salt","path"]', '[1,"path",2]', 'no JSON'])('%j discloses nothing', (text) => {
  expect(readSalted(text)).toBeUndefined()
})
