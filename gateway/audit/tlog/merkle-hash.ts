import { hash } from 'node:crypto'
import { ENTRY_LIMIT_BYTES } from '../audit-log.ts'

export const HASH_BYTES = 32

/** Root of the empty tree, MTH({}) of RFC 6962 §2.1. */
export const EMPTY_ROOT: Buffer = hash('sha256', '', 'buffer')

// Without these prefixes a node could be passed off as an entry (second preimage, RFC 6962 §2.1).
const LEAF_PREFIX = 0x00
const NODE_PREFIX = 0x01

// One-shot hashes over buffers that are kept: a Hash object costs four times as much, and so does a digest that comes
// as a Buffer of its own and not as a string. Nothing here yields in between.
const leafInput = Buffer.alloc(1 + ENTRY_LIMIT_BYTES, LEAF_PREFIX)
const nodeInput = Buffer.alloc(1 + 2 * HASH_BYTES, NODE_PREFIX)

/** Hash of one entry of at most {@link ENTRY_LIMIT_BYTES} bytes, as a leaf of the tree. */
export function leafHash(entry: Uint8Array): Buffer {
  const leaf = Buffer.allocUnsafe(HASH_BYTES)
  leafHashInto(leaf, 0, entry)
  return leaf
}

/** The same, written into `target` at `offset`. */
export function leafHashInto(target: Buffer, offset: number, entry: Uint8Array): void {
  leafInput.set(entry, 1)
  hashInto(target, offset, leafInput.subarray(0, 1 + entry.length))
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodeInput.set(left, 1)
  nodeInput.set(right, 1 + HASH_BYTES)
  const node = Buffer.allocUnsafe(HASH_BYTES)
  hashInto(node, 0, nodeInput)
  return node
}

/** Root of a perfect subtree whose `width` (a power of two) hashes stand one after another in `hashes`. */
export function subtreeRoot(hashes: Buffer, offsetBytes: number, width: number): Buffer {
  let level = hashes.subarray(offsetBytes, offsetBytes + width * HASH_BYTES)
  for (let left = width; left > 1; left /= 2) {
    const above = Buffer.allocUnsafe((left / 2) * HASH_BYTES)
    for (let at = 0; at < left; at += 2) {
      level.copy(nodeInput, 1, at * HASH_BYTES, (at + 2) * HASH_BYTES)
      hashInto(above, (at / 2) * HASH_BYTES, nodeInput)
    }
    level = above
  }
  return level
}

function hashInto(target: Buffer, offset: number, input: Uint8Array): void {
  target.write(hash('sha256', input, 'binary'), offset, HASH_BYTES, 'latin1')
}
