import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasCode } from '../log-disk.ts'
import { parseBundle } from '../tlog/entry-bundle.ts'
import { HASH_BYTES } from '../tlog/merkle-hash.ts'
import { parseTilePath, TILE_WIDTH, tilePath, type Tile } from '../tlog/tile-path.ts'

/** The tiles and bundles that are on disk for one log. */
export class StoredTiles {
  readonly #directory: string
  /** Widths on disk, by the path of the full tile. */
  readonly #widths = new Map<string, number[]>()
  readonly strangers: string[] = []

  constructor(directory: string) {
    this.#directory = directory
    if (!existsSync(join(directory, 'tile'))) return
    for (const file of readdirSync(join(directory, 'tile'), { recursive: true, withFileTypes: true })) {
      if (file.isDirectory()) continue
      const path = join(file.parentPath, file.name).slice(directory.length + 1)
      const tile = parseTilePath(path)
      // A draft that death left behind has no name that anybody would read.
      if (tile === undefined) this.strangers.push(...(path.endsWith('.tmp') ? [] : [path]))
      else this.#widthsAt(tile).push(tile.width)
    }
  }

  /** Widths on disk of the tile at this place; asking takes it off the list of what nobody asked for. */
  take(tile: Tile): readonly number[] {
    const path = fullPath(tile)
    const widths = this.#widths.get(path) ?? []
    this.#widths.delete(path)
    return widths
  }

  /** What nobody has asked for. */
  left(): string[] {
    return [...this.#widths].flatMap(([path, widths]) =>
      widths.map((width) => (width === TILE_WIDTH ? path : `${path}.p/${String(width)}`)),
    )
  }

  /** `undefined` when it is gone since it was listed, as partial tiles are whose full tile has come. */
  read(tile: Tile): Buffer | undefined {
    try {
      return readFileSync(join(this.#directory, tilePath(tile)))
    } catch (cause) {
      if (hasCode(cause, 'ENOENT')) return undefined
      throw cause
    }
  }

  isThere(tile: Tile): boolean {
    return existsSync(join(this.#directory, tilePath(tile)))
  }

  /** The widest tile on disk at this place, whatever its width. */
  widest(tile: Omit<Tile, 'width'>): { readonly tile: Tile; readonly bytes: Buffer } | undefined {
    const width = Math.max(0, ...(this.#widths.get(fullPath({ ...tile, width: TILE_WIDTH })) ?? []))
    if (width === 0) return undefined
    const bytes = this.read({ ...tile, width })
    return bytes && { tile: { ...tile, width }, bytes }
  }

  /** Entry number `index` as its bundle has it. */
  entry(index: number): Buffer | undefined {
    const bundle = this.widest({ level: 'entries', index: Math.floor(index / TILE_WIDTH) })
    return bundle && parseBundle(bundle.bytes, bundle.tile.width)?.[index % TILE_WIDTH]
  }

  /** Hash of entry number `index` as its tile has it. */
  leaf(index: number): Buffer | undefined {
    const tile = this.widest({ level: 0, index: Math.floor(index / TILE_WIDTH) })
    const at = (index % TILE_WIDTH) * HASH_BYTES
    return tile?.bytes.subarray(at, at + HASH_BYTES)
  }

  #widthsAt(tile: Tile): number[] {
    const path = fullPath(tile)
    const widths = this.#widths.get(path) ?? []
    this.#widths.set(path, widths)
    return widths
  }
}

function fullPath(tile: Tile): string {
  return tilePath({ ...tile, width: TILE_WIDTH })
}
