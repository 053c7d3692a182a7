import { hash } from 'node:crypto'

export const KEY_BYTES = 32
/** SHA-256 works on blocks of 64 bytes; HMAC pads its key to one (RFC 2104 §2). */
const BLOCK_BYTES = 64
const DIGEST_BYTES = 32
const TOKEN_BYTES = 16
/** What is longer is put together on its own; a unit of UTF-16 takes at most three bytes. */
const KEPT_CHARACTERS = 1_024
const KEPT_BYTES = BLOCK_BYTES + 3 * KEPT_CHARACTERS

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
  const inner = hasherOf(pad(key, 0x36))
  const outer = Buffer.concat([pad(key, 0x5c), Buffer.alloc(DIGEST_BYTES)])
  const digest = Buffer.alloc(DIGEST_BYTES)
  const encode = (purpose: string, text: string, bytes: number): string => {
    outer.write(inner(purpose, text), BLOCK_BYTES, DIGEST_BYTES, 'latin1')
    digest.write(hash('sha256', outer, 'binary'), 0, DIGEST_BYTES, 'latin1')
    return `hmac:${id}:${digest.toString('base64url', 0, bytes)}`
  }
  return {
    tokenOf: (value) => encode('value', value, TOKEN_BYTES),
    commitmentTo: (contents) => encode('contents', contents, DIGEST_BYTES),
  }
}

/**
 * SHA-256 of the block, the purpose and the text, as a string of bytes. Two one-shot hashes over buffers that are kept cost a
 * fraction of one Hmac object, digests as strings a fraction of those as buffers, and this runs on every call.
 */
function hasherOf(block: Buffer): (purpose: string, text: string) => string {
  const input = Buffer.alloc(KEPT_BYTES)
  block.copy(input)
  return (purpose, text) => {
    const contents = `${purpose}\0${text}`
    if (contents.length > KEPT_CHARACTERS)
      return hash('sha256', Buffer.concat([block, Buffer.from(contents)]), 'binary')
    const end = BLOCK_BYTES + input.write(contents, BLOCK_BYTES)
    return hash('sha256', input.subarray(0, end), 'binary')
  }
}

function pad(key: Buffer, filler: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES, filler)
  for (const [index, byte] of key.entries()) block[index] = byte ^ filler
  return block
}
