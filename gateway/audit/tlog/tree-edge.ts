import { EMPTY_ROOT, HASH_BYTES, leafHashInto, nodeHash, subtreeRoot } from './merkle-hash.ts'
import { TILE_WIDTH, type Tile } from './tile-path.ts'

interface Level {
  hashes: Buffer
  width: number
  /** Index of the tile that these hashes begin. */
  index: number
}

/**
 * The right edge of a growing tree: the partial tile of each level. It is all that adding leaves and knowing the
 * root takes, however large the tree is.
 */
export class TreeEdge {
  size = 0
  readonly #levels: Level[] = []
  readonly #onFull: (tile: Tile, hashes: Buffer) => void

  /** `onFull` is given each tile when its last hash is in; the bytes are its own from then on. */
  constructor(onFull: (tile: Tile, hashes: Buffer) => void) {
    this.#onFull = onFull
  }

  /** The edge of a tree of `size` leaves, from its partial tiles, lowest level first; empty where there is none. */
  static resume(
    size: number,
    partials: readonly Buffer[],
    onFull: (tile: Tile, hashes: Buffer) => void,
  ): TreeEdge {
    const edge = new TreeEdge(onFull)
    edge.size = size
    for (const [level, partial] of partials.entries()) {
      const hashes = Buffer.alloc(TILE_WIDTH * HASH_BYTES)
      partial.copy(hashes)
      const index = Math.floor(size / TILE_WIDTH ** (level + 1))
      edge.#levels.push({ hashes, width: partial.length / HASH_BYTES, index })
    }
    return edge
  }

  append(leaf: Buffer): void {
    this.size++
    this.#add(0, leaf)
  }

  /** The same from the entry itself, hashed in its place. */
  appendEntry(entry: Uint8Array): void {
    this.size++
    const leaves = this.#levelAt(0)
    leafHashInto(leaves.hashes, leaves.width * HASH_BYTES, entry)
    this.#grow(0, leaves)
  }

  /** Root of the tree of everything appended so far. */
  root(): Buffer {
    let root: Buffer | undefined
    // Perfect subtrees from right to left, each as large as its bit of the size: RFC 6962 §2.1.
    for (const { hashes, width } of this.#levels) {
      let end = width
      for (let span = 1; span <= end; span *= 2) {
        if ((end & span) === 0) continue
        end -= span
        const peak = subtreeRoot(hashes, end * HASH_BYTES, span)
        root = root === undefined ? peak : nodeHash(peak, root)
      }
    }
    return root === undefined ? EMPTY_ROOT : Buffer.from(root)
  }

  /** The partial tiles as they are now, lowest level first. */
  partials(): { readonly tile: Tile; readonly hashes: Buffer }[] {
    return this.#levels
      .map(({ hashes, width, index }, level) => ({
        tile: { level, index, width },
        hashes: Buffer.from(hashes.subarray(0, width * HASH_BYTES)),
      }))
      .filter(({ tile }) => tile.width > 0)
  }

  #add(level: number, hash: Buffer): void {
    const at = this.#levelAt(level)
    hash.copy(at.hashes, at.width * HASH_BYTES)
    this.#grow(level, at)
  }

  #levelAt(level: number): Level {
    return (this.#levels[level] ??= {
      hashes: Buffer.allocUnsafe(TILE_WIDTH * HASH_BYTES),
      width: 0,
      index: 0,
    })
  }

  /** One more hash is in. */
  #grow(level: number, at: Level): void {
    at.width++
    if (at.width < TILE_WIDTH) return
    const { hashes, index } = at
    at.hashes = Buffer.allocUnsafe(TILE_WIDTH * HASH_BYTES)
    at.width = 0
    at.index++
    this.#onFull({ level, index, width: TILE_WIDTH }, hashes)
    this.#add(level + 1, subtreeRoot(hashes, 0, TILE_WIDTH))
  }
}
