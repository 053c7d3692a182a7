import { hash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { makeOnce } from './make-once.ts'

const KEY_FILE = 'token.key'
const KEY_BYTES = 32
/** SHA-256 works on blocks of 64 bytes; HMAC pads its key to one (RFC 2104 §2). */
const BLOCK_BYTES = 64

/** What stands in the record for a value that must not: equal values, equal tokens, and no way back without the key. */
export interface KeyedTokens {
  /** Token of a short value, 128 bits; for values that are to be recognised across entries. */
  tokenOf(value: string): string
  /** Commitment to contents of any length, 256 bits; whoever holds the contents and the key can check it. */
  commitmentTo(contents: string): string
}

/**
 * Tokens by HMAC-SHA-256. A bare hash would not do: account numbers and user names are few enough to try them all.
 *
 * @see RFC 2104
 */
export function createKeyedTokens(key: Buffer): KeyedTokens {
  if (key.length !== KEY_BYTES) throw new RangeError(`the token key has ${String(key.length)} bytes, not 32`)
  const inner = pad(key, 0x36)
  const outer = pad(key, 0x5c)
  // Two one-shot hashes cost a fraction of one Hmac object, and this runs on every call.
  const hmac = (purpose: string, text: string): Buffer => {
    const digest = hash('sha256', Buffer.concat([inner, Buffer.from(`${purpose}\0${text}`)]), 'buffer')
    return hash('sha256', Buffer.concat([outer, digest]), 'buffer')
  }
  return {
    tokenOf: (value) => `hmac:${hmac('value', value).toString('base64url', 0, 16)}`,
    commitmentTo: (contents) => `hmac:${hmac('contents', contents).toString('base64url')}`,
  }
}

/** Reads the key of this audit directory, or makes it. */
export function openTokenKey(auditDirectory: string): Promise<Buffer> {
  return makeOnce(join(auditDirectory, KEY_FILE), () => randomBytes(KEY_BYTES))
}

function pad(key: Buffer, filler: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES, filler)
  for (const [index, byte] of key.entries()) block[index] = byte ^ filler
  return block
}
