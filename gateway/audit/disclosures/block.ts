import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { createRandomPool } from '../../lib/random-pool.ts'
import { isKeyName, type KeyName } from './disclosure-keys.ts'

const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const LENGTH_BYTES = 2

/** What stands in clear before the encrypted part, and is authenticated with it. */
export interface BlockHeader {
  readonly v: 1
  readonly key: KeyName
  /** Calls whose disclosures are in it. */
  readonly calls: readonly string[]
}

const randomBytes = createRandomPool()

/** `length ‖ header ‖ nonce ‖ AES-256-GCM of plaintext ‖ tag`. A nonce is random: a key serves one subject for a day. */
export function sealBlock(header: BlockHeader, key: KeyObject, plaintext: Buffer | string): Buffer {
  const head = Buffer.from(JSON.stringify(header))
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(head)
  const length = Buffer.allocUnsafe(LENGTH_BYTES)
  length.writeUInt16BE(head.length)
  const sealed = typeof plaintext === 'string' ? cipher.update(plaintext, 'utf8') : cipher.update(plaintext)
  return Buffer.concat([length, head, nonce, sealed, cipher.final(), cipher.getAuthTag()])
}

/** The header of a block; `undefined` when there is none. */
export function readBlockHeader(block: Buffer): BlockHeader | undefined {
  if (block.length < LENGTH_BYTES) return undefined
  let parsed: unknown
  try {
    parsed = JSON.parse(block.toString('utf8', LENGTH_BYTES, LENGTH_BYTES + block.readUInt16BE(0)))
  } catch {
    return undefined
  }
  return isHeader(parsed) ? parsed : undefined
}

/** The plaintext; `undefined` when the block was not sealed with this key, or has been changed since. */
export function openBlock(block: Buffer, key: KeyObject): Buffer | undefined {
  const headEnd = LENGTH_BYTES + block.readUInt16BE(0)
  const nonceEnd = headEnd + NONCE_BYTES
  const tagStart = block.length - TAG_BYTES
  if (tagStart < nonceEnd) return undefined
  const nonce = block.subarray(headEnd, nonceEnd)
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(block.subarray(LENGTH_BYTES, headEnd))
  decipher.setAuthTag(block.subarray(tagStart))
  const plaintext = decipher.update(block.subarray(nonceEnd, tagStart))
  try {
    decipher.final()
  } catch {
    return undefined
  }
  return plaintext
}

function isHeader(value: unknown): value is BlockHeader {
  if (typeof value !== 'object' || value === null || !('key' in value) || !('calls' in value)) return false
  const { key, calls } = value
  return (
    'v' in value &&
    value.v === 1 &&
    typeof key === 'object' &&
    key !== null &&
    'period' in key &&
    typeof key.period === 'string' &&
    'subject' in key &&
    typeof key.subject === 'string' &&
    isKeyName({ period: key.period, subject: key.subject }) &&
    Array.isArray(calls) &&
    calls.every((call) => typeof call === 'string')
  )
}
