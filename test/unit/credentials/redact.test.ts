import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { createRedactor } from '../../../gateway/credentials/redact.ts'

function redacting(value: string): (text: string) => string {
  const redactor = createRedactor()
  redactor.remember('vendor', value)
  return (text) => redactor.redactExact(text)
}

const SECRET = 'p+a/s w&o"r\\d=ü'

it.each([
  ['the value', SECRET],
  ['base64', Buffer.from(SECRET).toString('base64')],
  ['base64url', Buffer.from(SECRET).toString('base64url')],
  ['base64 of user and password', Buffer.from(`user:${SECRET}`).toString('base64')],
  ['percent-encoding', encodeURIComponent(SECRET)],
  [
    'percent-encoding in lower case',
    encodeURIComponent(SECRET).replaceAll(/%../g, (octet) => octet.toLowerCase()),
  ],
  ['a form', new URLSearchParams({ x: SECRET }).toString()],
  ['JSON', JSON.stringify({ x: SECRET })],
])('removes a secret written as %s', (_form, text) => {
  const redacted = redacting(SECRET)(`before ${text} after`)
  expect(redacted).toContain('[redacted]')
  expect(redacted).toMatch(/^before .* after$/)
  expect(redacted).not.toContain('a/s')
})

it('finds the base64 of a secret wherever it stands in a longer text', () => {
  const words = fc.stringMatching(/^[\x20-\x7e]{0,12}$/)
  fc.assert(
    fc.property(fc.stringMatching(/^[\x21-\x7e]{8,24}$/), words, words, (secret, before, after) => {
      const text = Buffer.from(before + secret + after).toString('base64')
      const redacted = redacting(secret)(text)
      expect(redacted).toContain('[redacted]')
      expect(Buffer.from(redacted.replace('[redacted]', ''), 'base64').toString('latin1')).not.toContain(
        secret,
      )
    }),
  )
})

it('removes the longer of two secrets whole', () => {
  const redactor = createRedactor()
  redactor.remember('one', 'token')
  redactor.remember('other', 'token-extended')
  expect(redactor.redactExact('token-extended, token')).toBe('[redacted], [redacted]')
})

it('still removes the value before a rotation, and forgets old ones in the end', () => {
  const redactor = createRedactor()
  for (const value of ['first-value', 'second-value', 'third-value', 'fourth-value', 'fifth-value']) {
    redactor.remember('vendor', value)
  }
  expect(redactor.redactExact('fifth-value fourth-value first-value')).toBe(
    '[redacted] [redacted] first-value',
  )
})

it('leaves text alone before there is a secret, and never blanks out short words', () => {
  const redactor = createRedactor()
  expect(redactor.redactExact('abc')).toBe('abc')
  redactor.remember('vendor', 'abc')
  expect(redactor.redactExact('abcabc')).toBe('abcabc')
})
