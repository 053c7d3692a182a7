/** Hashes in a full tile, and entries in a full bundle. */
export const TILE_WIDTH = 256

/** One tile of a tree, or one bundle of entries beside the tiles of level 0. */
export interface Tile {
  /** 0 holds the leaves; `entries` the entries themselves. */
  readonly level: number | 'entries'
  readonly index: number
  /** 1 to 256; below 256 the tile is partial, and its file name says so. */
  readonly width: number
}

/**
 * Path of a tile below the directory of its log.
 *
 * @see https://c2sp.org/tlog-tiles "Merkle Tree": `tile/<L>/<N>[.p/<W>]`
 */
export function tilePath({ level, index, width }: Tile): string {
  const digits = String(index).padStart(3, '0')
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const groups = padded.match(/\d{3}/g) ?? []
  const name = groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join('/')
  return `tile/${level}/${name}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

/** The tile that a path below the directory of a log names; `undefined` when it names none, or not by its one name. */
export function parseTilePath(path: string): Tile | undefined {
  const match = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path)
  if (match === null) return undefined
  const [, level = '', name = '', width = String(TILE_WIDTH)] = match
  const tile: Tile = {
    level: level === 'entries' ? 'entries' : Number(level),
    index: Number(name.replaceAll(/[x/]/g, '')),
    width: Number(width),
  }
  return tilePath(tile) === path && tile.width > 0 && tile.width <= TILE_WIDTH ? tile : undefined
}

/** Every tile and bundle of a tree of `size` entries, lowest level first. */
export function* tilesOf(size: number): Generator<Tile> {
  yield* tilesOfLevel('entries', size)
  for (let level = 0, hashes = size; hashes > 0; level++, hashes = Math.floor(hashes / TILE_WIDTH)) {
    yield* tilesOfLevel(level, hashes)
  }
}

function* tilesOfLevel(level: Tile['level'], hashes: number): Generator<Tile> {
  const full = Math.floor(hashes / TILE_WIDTH)
  for (let index = 0; index < full; index++) yield { level, index, width: TILE_WIDTH }
  if (hashes % TILE_WIDTH > 0) yield { level, index: full, width: hashes % TILE_WIDTH }
}

/** How many hashes the partial tile at each level of a tree of `size` entries has, from level 0 up; 0 for none. */
export function partialWidths(size: number): number[] {
  const widths: number[] = []
  for (let hashes = size; hashes > 0; hashes = Math.floor(hashes / TILE_WIDTH))
    widths.push(hashes % TILE_WIDTH)
  return widths
}
