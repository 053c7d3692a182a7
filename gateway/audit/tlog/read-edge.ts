import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from '../log-disk.ts'
import type { Checkpoint } from './checkpoint.ts'
import { parseBundle } from './entry-bundle.ts'
import { Integrator, type StoredEdge } from './integrator.ts'
import { HASH_BYTES, leafHash } from './merkle-hash.ts'
import { partialWidths, TILE_WIDTH, tilePath, type Tile } from './tile-path.ts'

/**
 * Goes on from the files of a checkpoint: reads the right edge of its tree, which is a few files however large the
 * tree is. `undefined` when they do not give what was signed; the write-ahead log has to say then who is right.
 */
export async function resumeAt(directory: string, checkpoint: Checkpoint): Promise<Integrator | undefined> {
  const edge = await readEdge(directory, checkpoint.size)
  if (edge === undefined) return undefined
  const integrator = new Integrator(edge)
  return integrator.root().equals(checkpoint.root) ? integrator : undefined
}

async function readEdge(directory: string, size: number): Promise<StoredEdge | undefined> {
  const partials: Buffer[] = []
  for (const [level, width] of partialWidths(size).entries()) {
    const index = Math.floor(size / TILE_WIDTH ** (level + 1))
    const hashes = width === 0 ? Buffer.alloc(0) : await readTile(directory, { level, index, width })
    if (hashes?.length !== width * HASH_BYTES) return undefined
    partials.push(hashes)
  }
  const width = size % TILE_WIDTH
  if (width === 0) return { size, partials, entries: [] }
  const index = Math.floor(size / TILE_WIDTH)
  const bundle = await readIfThere(join(directory, tilePath({ level: 'entries', index, width })))
  const entries = bundle && parseBundle(bundle, width)
  const leaves = partials[0]
  if (entries === undefined || leaves === undefined) return undefined
  return Buffer.concat(entries.map(leafHash)).equals(leaves) ? { size, partials, entries } : undefined
}

async function readTile(directory: string, tile: Tile): Promise<Buffer | undefined> {
  return readIfThere(join(directory, tilePath(tile)))
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return undefined
    throw cause
  }
}
