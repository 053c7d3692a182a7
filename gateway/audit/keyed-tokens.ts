import { hash } from 'node:crypto'

export const KEY_BYTES = 32
/** SHA-256 works on blocks of 64 bytes; HMAC pads its key to one (RFC 2104 §2). */
const BLOCK_BYTES = 64
const DIGEST_BYTES = 32

/** What stands in the record for a value that must not: equal values, equal tokens, and no way back without the key. */
export interface KeyedTokens {
  /** Token of a short value, 128 bits; for values that are to be recognised across entries. */
  tokenOf(value: string): string
  /** Commitment to contents of any length, 256 bits; whoever holds the contents and the key can check it. */
  commitmentTo(contents: string): string
}

/**
 * Tokens by HMAC-SHA-256, `hmac:<id of the key>:<base64url>`. A bare hash would not do: account numbers and user names
 * are few enough to try them all.
 *
 * @see RFC 2104
 */
export function createKeyedTokens(key: Buffer, id: string): KeyedTokens {
  if (key.length !== KEY_BYTES) throw new RangeError(`the token key has ${String(key.length)} bytes, not 32`)
  const inner = pad(key, 0x36)
  const outerInput = Buffer.concat([pad(key, 0x5c), Buffer.alloc(DIGEST_BYTES)])
  // Two one-shot hashes cost a fraction of one Hmac object, digests as strings a fraction of those as buffers, and this
  // runs on every call.
  const hmac = (purpose: string, text: string): string => {
    const digest = hash('sha256', Buffer.concat([inner, Buffer.from(`${purpose}\0${text}`)]), 'binary')
    outerInput.write(digest, BLOCK_BYTES, DIGEST_BYTES, 'latin1')
    return hash('sha256', outerInput, 'binary')
  }
  const encode = (digest: string): string => Buffer.from(digest, 'latin1').toString('base64url')
  return {
    tokenOf: (value) => `hmac:${id}:${encode(hmac('value', value).slice(0, 16))}`,
    commitmentTo: (contents) => `hmac:${id}:${encode(hmac('contents', contents))}`,
  }
}

function pad(key: Buffer, filler: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES, filler)
  for (const [index, byte] of key.entries()) block[index] = byte ^ filler
  return block
}
