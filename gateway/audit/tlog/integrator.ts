import type { Checkpoint } from './checkpoint.ts'
import type { DerivedFile } from './derived-files.ts'
import { EntryBundle } from './entry-bundle.ts'
import { TreeEdge } from './tree-edge.ts'
import { TILE_WIDTH, tilePath, type Tile } from './tile-path.ts'

/** A tree as it was at one moment, with the files that it needs and that nobody has taken yet. */
export interface Snapshot extends Pick<Checkpoint, 'size' | 'root'> {
  readonly full: readonly DerivedFile[]
  readonly partial: readonly DerivedFile[]
}

/** The right edge of a tree as files hold it, from which an integrator goes on. */
export interface StoredEdge {
  readonly size: number
  /** The partial tile of each level, lowest first; empty where there is none. */
  readonly partials: readonly Buffer[]
  /** Entries of the partial bundle. */
  readonly entries: readonly Buffer[]
}

/** Turns entries into the tiles, the bundles and the root of their tree. */
export class Integrator {
  readonly #edge: TreeEdge
  readonly #bundle = new EntryBundle()
  /** Full tiles and bundles since the last snapshot. */
  #full: DerivedFile[] = []
  #fullBytes = 0

  constructor(stored?: StoredEdge) {
    const onFull = (tile: Tile, bytes: Buffer): void => this.#keep(tile, bytes)
    this.#edge =
      stored === undefined ? new TreeEdge(onFull) : TreeEdge.resume(stored.size, stored.partials, onFull)
    for (const entry of stored?.entries ?? []) this.#bundle.add(entry)
  }

  get size(): number {
    return this.#edge.size
  }

  /** Bytes of full tiles and bundles that wait for a snapshot. */
  get waitingBytes(): number {
    return this.#fullBytes
  }

  /** Copies the entry in. */
  add(entry: Uint8Array): void {
    const index = Math.floor(this.#edge.size / TILE_WIDTH)
    this.#bundle.add(entry)
    this.#edge.appendEntry(entry)
    if (!this.#bundle.full) return
    this.#keep({ level: 'entries', index, width: TILE_WIDTH }, this.#bundle.bytes())
    this.#bundle.clear()
  }

  root(): Buffer {
    return this.#edge.root()
  }

  /** Full tiles and bundles since this was last asked. */
  takeFull(): DerivedFile[] {
    const files = this.#full
    this.#full = []
    this.#fullBytes = 0
    return files
  }

  /** The tree as it is now, with the full files of {@link takeFull} and the partial ones. */
  snapshot(): Snapshot {
    return { size: this.size, root: this.root(), full: this.takeFull(), partial: this.#partialFiles() }
  }

  #partialFiles(): DerivedFile[] {
    const files = this.#edge.partials().map(({ tile, hashes }) => ({ path: tilePath(tile), bytes: hashes }))
    const { entries } = this.#bundle
    if (entries === 0) return files
    const index = Math.floor(this.size / TILE_WIDTH)
    return [
      ...files,
      { path: tilePath({ level: 'entries', index, width: entries }), bytes: this.#bundle.bytes() },
    ]
  }

  #keep(tile: Tile, bytes: Buffer): void {
    this.#full.push({ path: tilePath(tile), bytes })
    this.#fullBytes += bytes.length
  }
}
