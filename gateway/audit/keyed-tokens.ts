import { hash, randomBytes } from 'node:crypto'
import { link, open, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { syncDirectory } from './log-disk.ts'

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

/** Reads the key of this audit directory, or makes it; workers that start together end up with the same one. */
export async function openTokenKey(auditDirectory: string): Promise<Buffer> {
  const path = join(auditDirectory, KEY_FILE)
  const existing = await readKey(path)
  if (existing !== undefined) return existing
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  await writeKey(draft)
  try {
    // A link either makes the name with the whole key behind it, or fails because another worker was first.
    await link(draft, path)
    await syncDirectory(auditDirectory)
  } catch (cause) {
    if (!hasCode(cause, 'EEXIST')) throw cause
  } finally {
    await unlink(draft)
  }
  const made = await readKey(path)
  if (made === undefined) throw new Error(`the token key vanished: ${path}`)
  return made
}

async function writeKey(path: string): Promise<void> {
  await using handle = await open(path, 'wx', 0o600)
  await handle.writeFile(randomBytes(KEY_BYTES))
  await handle.sync()
}

async function readKey(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return undefined
    throw cause
  }
}

function pad(key: Buffer, filler: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES, filler)
  for (const [index, byte] of key.entries()) block[index] = byte ^ filler
  return block
}

function hasCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code
}
