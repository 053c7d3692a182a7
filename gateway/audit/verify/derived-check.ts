import { join } from 'node:path'
import type { EpochPath } from '../read-entries.ts'
import { CHECKPOINT_FILE, type Checkpoint } from '../tlog/checkpoint.ts'
import { Integrator } from '../tlog/integrator.ts'
import { HASH_BYTES } from '../tlog/merkle-hash.ts'
import { parseTilePath, TILE_WIDTH, tilePath, tilesOf, type Tile } from '../tlog/tile-path.ts'
import type { Commitments } from './commitments.ts'
import { firstDifference, type Problems } from './problem.ts'
import { StoredTiles } from './stored-tiles.ts'

export interface DerivedCheckOptions {
  readonly path: EpochPath
  readonly place: string
  readonly problems: Problems
  readonly checkpoint: Checkpoint | undefined
  readonly commitments: Commitments
}

/**
 * Makes the tree of a log again from its entries, and compares every tile, every bundle and every root that anybody
 * has signed for it with what comes out.
 */
export class DerivedCheck {
  readonly #options: DerivedCheckOptions
  readonly #integrator = new Integrator()
  readonly #stored: StoredTiles
  /** Sizes at which a root is known, smallest first. */
  readonly #known: { size: number; root: Buffer; source: string }[]
  readonly #different: { tile: Tile; offset: number }[] = []
  readonly #seen = new Set<string>()
  #mismatch = false
  /** What is known from elsewhere and is not so; told unless the log's own checkpoint says it already. */
  #rewritten: string | undefined

  constructor(options: DerivedCheckOptions) {
    this.#options = options
    this.#stored = new StoredTiles(options.path.directory)
    this.#known = options.commitments.of(options.path)
    this.#checkRoots()
  }

  take(entry: Buffer): void {
    this.#integrator.add(entry)
    const { size } = this.#integrator
    if (size % TILE_WIDTH === 0) this.#compareFull()
    if (size === this.#known[0]?.size || size === this.#options.checkpoint?.size) this.#checkRoots()
  }

  /** Call when there are no more entries; true when they do not give the signed root. */
  end(): boolean {
    const { place, problems, checkpoint } = this.#options
    for (const { path, bytes } of this.#integrator.snapshot().partial) this.#compare(path, bytes)
    for (const { size, source } of this.#known) {
      const detail = `${source} has it with ${String(size)} entries, and there are ${String(this.#integrator.size)}`
      problems.add('log.rolled_back', place, 0, detail)
    }
    if ((checkpoint?.size ?? 0) > this.#integrator.size) {
      const detail = `${String(checkpoint?.size)} entries are signed, and there are ${String(this.#integrator.size)}`
      problems.add('entries.missing', place, 0, detail)
      return false
    }
    if (this.#mismatch) return true
    if (this.#rewritten !== undefined) {
      problems.add('log.rewritten', join(place, CHECKPOINT_FILE), 0, this.#rewritten)
    }
    this.#reportDifferences()
    this.#reportMissing()
    for (const path of [...this.#stored.strangers, ...this.#stored.left()]) {
      problems.add('file.unexpected', join(place, path), 0, 'no tree of these entries has this file')
    }
    return false
  }

  #checkRoots(): void {
    const { checkpoint } = this.#options
    const { size } = this.#integrator
    if (checkpoint?.size === size && !checkpoint.root.equals(this.#integrator.root())) this.#mismatch = true
    while (this.#known[0]?.size === size) {
      const known = this.#known.shift()
      if (known === undefined || known.root.equals(this.#integrator.root())) continue
      this.#rewritten ??= `its first ${String(size)} entries are not those that ${known.source} has`
    }
  }

  #compareFull(): void {
    for (const { path, bytes } of this.#integrator.takeFull()) this.#compare(path, bytes)
  }

  /** Every tile on disk at this place, full or partial, has to be a beginning of `bytes`. */
  #compare(path: string, bytes: Buffer): void {
    const tile = parseTilePath(path)
    if (tile === undefined) return
    for (const width of this.#stored.take(tile)) {
      const stored = { ...tile, width }
      const actual = this.#stored.read(stored)
      if (actual === undefined) continue
      this.#seen.add(tilePath(stored))
      const wanted = bytes.subarray(
        0,
        tile.level === 'entries' ? bundleBytes(bytes, width) : width * HASH_BYTES,
      )
      if (width <= tile.width && wanted.equals(actual)) continue
      this.#different.push({ tile: stored, offset: firstDifference(wanted, actual) })
    }
  }

  #reportDifferences(): void {
    const { place, problems } = this.#options
    for (const { tile, offset } of this.#different) {
      const code = tile.level === 'entries' ? 'bundle.changed' : 'tile.changed'
      problems.add(code, join(place, tilePath(tile)), offset, 'this is not what the entries give')
    }
  }

  #reportMissing(): void {
    const { place, problems, checkpoint } = this.#options
    for (const tile of tilesOf(checkpoint?.size ?? 0)) {
      // A full tile stands in for the partial ones that it began as.
      const full = { ...tile, width: TILE_WIDTH }
      if (this.#seen.has(tilePath(tile)) || this.#stored.isThere(full)) continue
      const code = tile.level === 'entries' ? 'bundle.missing' : 'tile.missing'
      problems.add(code, join(place, tilePath(tile)), 0, 'the checkpoint needs this file')
    }
  }
}

/** Size of the first `width` entries of a bundle. */
function bundleBytes(bundle: Buffer, width: number): number {
  let offset = 0
  for (let entries = 0; entries < width && offset + 2 <= bundle.length; entries++) {
    offset += 2 + bundle.readUInt16BE(offset)
  }
  return offset
}
