import { parseStrictJson } from '../lib/strict-json.ts'
import { pass, refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** A JWS in compact form (RFC 7515 §3.1), taken apart but not yet believed. */
export interface Compact {
  readonly header: JsonObject
  readonly claims: JsonObject
  /** What the signature is over: the first two parts as they came. */
  readonly signingInput: Buffer
  readonly signature: Buffer
}

/** The refusal that a malformed JWS leads to: it is either the access token or the proof. */
export type CompactCode = 'identity.token_invalid' | 'identity.proof_invalid'

const MAX_DEPTH = 16
const FORM = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){2}$/

/**
 * Takes a JWT apart in the only spelling it has: three parts, unpadded canonical base64url, JSON objects without
 * repeated names. Looser readers accept several spellings of one token, and whatever is keyed by its hash then
 * counts each as another token (RFC 7515 §2, RFC 4648 §3.5).
 */
export function parseCompact(untrustedText: string, code: CompactCode): Verdict<Compact> {
  const flawed = (what: string): ReturnType<typeof refuse> =>
    refuse(code, { detail: `${code === 'identity.proof_invalid' ? 'proof' : 'access token'}: ${what}` })
  if (!FORM.test(untrustedText)) return flawed('is not a JWS in compact form')
  const first = untrustedText.indexOf('.')
  const second = untrustedText.indexOf('.', first + 1)
  const header = decodeCanonical(untrustedText.slice(0, first))
  const payload = decodeCanonical(untrustedText.slice(first + 1, second))
  const signature = decodeCanonical(untrustedText.slice(second + 1))
  if (header === undefined || payload === undefined || signature === undefined) {
    return flawed('is not canonical base64url')
  }
  const headerObject = readObject(header)
  const claims = readObject(payload)
  if (headerObject === undefined || claims === undefined) {
    return flawed('has a part that is no JSON object, or reads in two ways')
  }
  const signingInput = Buffer.from(untrustedText.slice(0, second), 'latin1')
  return pass({ header: headerObject, claims, signingInput, signature })
}

/** Octets of base64url text, or `undefined` when another text would decode to the same. */
export function decodeCanonical(untrustedText: string): Buffer | undefined {
  const bytes = Buffer.from(untrustedText, 'base64url')
  return bytes.toString('base64url') === untrustedText ? bytes : undefined
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function readObject(bytes: Buffer): JsonObject | undefined {
  const reading = parseStrictJson(bytes, MAX_DEPTH)
  return reading.ok && isObject(reading.value) ? reading.value : undefined
}
