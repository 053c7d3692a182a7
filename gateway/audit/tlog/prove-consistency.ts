import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere } from '../make-once.ts'
import { HASH_BYTES, nodeHash, subtreeRoot } from './merkle-hash.ts'
import { TILE_WIDTH, tilePath } from './tile-path.ts'

/**
 * Proof that the tree of `size` entries begins with that of `oldSize`, from the tiles below `directory`: a few files,
 * however large the tree is. Rejects when a tile is not there.
 *
 * @see RFC 6962 §2.1.2, PROOF(m, D[n]); empty from nothing, as tlog-witness has it
 */
export async function proveConsistency(directory: string, oldSize: number, size: number): Promise<Buffer[]> {
  if (oldSize === 0) return []
  const tree = new StoredTree(directory, size)
  const proof: Buffer[] = []
  let start = 0
  let end = size
  // The first subtree that is part of the old tree's own root needs no hash: whoever checks has that root.
  let isWhole = true
  while (oldSize !== end) {
    const split = start + largestPowerBelow(end - start)
    if (oldSize <= split) {
      proof.push(await tree.root(split, end))
      end = split
    } else {
      proof.push(await tree.root(start, split))
      start = split
      isWhole = false
    }
  }
  if (!isWhole) proof.push(await tree.root(start, end))
  return proof.reverse()
}

/** The tree of the first `size` entries, read from its tiles as it is asked for. */
class StoredTree {
  readonly #directory: string
  readonly #size: number
  readonly #tiles = new Map<string, Buffer>()

  constructor(directory: string, size: number) {
    this.#directory = directory
    this.#size = size
  }

  /** Root of the subtree of entries `start` to `end`; `start` is a multiple of its width, rounded up to a power. */
  async root(start: number, end: number): Promise<Buffer> {
    const width = end - start
    const split = width === 1 ? 1 : largestPowerBelow(width)
    if (width === 1 || width === 2 * split) return this.#perfect(start, width)
    return nodeHash(await this.root(start, start + split), await this.root(start + split, end))
  }

  async #perfect(start: number, width: number): Promise<Buffer> {
    let level = 0
    let span = width
    let first = start
    while (span >= TILE_WIDTH) {
      level++
      span /= TILE_WIDTH
      first /= TILE_WIDTH
    }
    const index = Math.floor(first / TILE_WIDTH)
    const hashes = await this.#tile(level, index)
    const offset = (first % TILE_WIDTH) * HASH_BYTES
    // A copy: what was looked up is shared.
    return Buffer.from(subtreeRoot(hashes, offset, span))
  }

  async #tile(level: number, index: number): Promise<Buffer> {
    const hashes = Math.floor(this.#size / TILE_WIDTH ** level)
    const width = Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH)
    const full = tilePath({ level, index, width: TILE_WIDTH })
    const known = this.#tiles.get(full)
    if (known !== undefined) return known
    const tile =
      (await readIfThere(join(this.#directory, tilePath({ level, index, width })))) ??
      // The log has grown since, and the full tile has taken the place of the partial one.
      (await readFile(join(this.#directory, full)))
    this.#tiles.set(full, tile)
    return tile
  }
}

/** The largest power of two below `width`, which is at least 2. */
function largestPowerBelow(width: number): number {
  let power = 1
  while (power * 2 < width) power *= 2
  return power
}
