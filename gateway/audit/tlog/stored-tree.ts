import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere } from '../make-once.ts'
import { parseBundle } from './entry-bundle.ts'
import { HASH_BYTES, nodeHash, subtreeRoot } from './merkle-hash.ts'
import { TILE_WIDTH, tilePath, type Tile } from './tile-path.ts'

/** The tree of the first `size` entries, read from its tiles as it is asked for. */
export class StoredTree {
  readonly #directory: string
  readonly #size: number
  readonly #tiles = new Map<string, Buffer>()

  constructor(directory: string, size: number) {
    this.#directory = directory
    this.#size = size
  }

  /** Entry number `index`, which the tree has; `undefined` when its bundle is not what a bundle is. */
  async entry(index: number): Promise<Buffer | undefined> {
    const bundle = Math.floor(index / TILE_WIDTH)
    const width = Math.min(TILE_WIDTH, this.#size - bundle * TILE_WIDTH)
    const found = await readTile(this.#directory, { level: 'entries', index: bundle, width })
    return parseBundle(found.bytes, found.width)?.[index % TILE_WIDTH]
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
    const { bytes: tile } = await readTile(this.#directory, { level, index, width })
    this.#tiles.set(full, tile)
    return tile
  }
}

/** The largest power of two below `width`, which is at least 2. */
export function largestPowerBelow(width: number): number {
  let power = 1
  while (power * 2 < width) power *= 2
  return power
}

async function readTile(directory: string, tile: Tile): Promise<{ bytes: Buffer; width: number }> {
  const bytes = await readIfThere(join(directory, tilePath(tile)))
  if (bytes !== undefined) return { bytes, width: tile.width }
  // The log has grown since, and the full tile has taken the place of the partial one.
  return {
    bytes: await readFile(join(directory, tilePath({ ...tile, width: TILE_WIDTH }))),
    width: TILE_WIDTH,
  }
}
