import { hash } from 'node:crypto'
import { createRandomPool } from '../../lib/random-pool.ts'

/** RFC 9901 §4.2.1 asks for 128 bits: without them whoever has the entry could try every account number. */
const SALT_BYTES = 16

const randomBytes = createRandomPool()

/** A value that is not in an entry, and what is there in its place. */
export interface Salted {
  /** JSON `[salt, path, value]`, the one text that the commitment is made of. */
  readonly text: string
  /** base64url of SHA-256; stands in the entry. */
  readonly commitment: string
}

/**
 * Commits to a value, given as JSON: a disclosure of SD-JWT (RFC 9901 §4.2). Whoever is given the text can compute the
 * commitment and find it in the entry; whoever has the entry alone learns nothing, and cannot even tell equal values
 * from others.
 *
 * @param path of the value, such as `input.params`
 */
export function saltValue(path: string, json: string): Salted {
  const salt = randomBytes(SALT_BYTES).toString('base64url')
  const text = `["${salt}",${JSON.stringify(path)},${json}]`
  return { text, commitment: commitmentOf(text) }
}

/** base64url(SHA-256(ASCII(base64url(UTF-8(text))))), RFC 9901 §4.2.3. */
export function commitmentOf(text: string): string {
  return hash('sha256', Buffer.from(text).toString('base64url'), 'base64url')
}

/** What a text discloses; `undefined` when it is not a disclosure. */
export function readSalted(text: string): { readonly path: string; readonly value: unknown } | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Array.isArray(parsed) || parsed.length !== 3) return undefined
  const [salt, path, value] = parsed as readonly unknown[]
  return typeof salt === 'string' && typeof path === 'string' ? { path, value } : undefined
}
