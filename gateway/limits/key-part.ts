import { hash } from 'node:crypto'

/** Longer names are hashed, so that no caller decides how long a key is. */
const LONGEST_PART = 128
const PLAIN = /^[A-Za-z0-9_.@/-]{1,128}$/
const SPECIAL = /[^A-Za-z0-9_.@/-]/gu

/**
 * One name as a part of a key: injective, without `:`, `{`, `}`, spaces or control characters, at most about
 * 1 KiB. A tenant named `a}:r:x` can neither leave its hash tag nor reach the counter of another tenant.
 * Lone surrogates, which UTF-8 cannot tell apart, stay distinct because each is written as its code point.
 */
export function keyPart(untrustedName: string): string {
  if (PLAIN.test(untrustedName)) return untrustedName
  // An empty hash tag would not be one: Redis Cluster then hashes the whole key.
  if (untrustedName === '') return '%'
  const escaped = untrustedName.replace(SPECIAL, (c) => `%${(c.codePointAt(0) ?? 0).toString(16)};`)
  return untrustedName.length <= LONGEST_PART ? escaped : `%h${hash('sha256', escaped, 'base64url')}`
}
