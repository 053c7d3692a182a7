import { join } from 'node:path'
import { frameBytes } from '../frame.ts'
import { listSegments, type EpochPath } from '../read-entries.ts'
import { readSegment } from '../read-segment.ts'
import { segmentName } from '../segment-file.ts'
import { CHECKPOINT_FILE, type Checkpoint } from '../tlog/checkpoint.ts'
import { leafHash } from '../tlog/merkle-hash.ts'
import { TreeEdge } from '../tlog/tree-edge.ts'
import { firstDifference, type Problems } from './problem.ts'
import { StoredTiles } from './stored-tiles.ts'

/**
 * The write-ahead log is sound and does not give the signed root: somebody wrote it anew. Where the tiles or the
 * bundles still give that root, they say which entry is not the one that was signed.
 */
export async function findForgery(
  path: EpochPath,
  place: string,
  checkpoint: Checkpoint,
  problems: Problems,
): Promise<void> {
  const stored = new StoredTiles(path.directory)
  const leaves = [(index: number) => stored.leaf(index), (index: number) => hashOf(stored.entry(index))]
  const signed = leaves.find((leafAt) => gives(checkpoint, leafAt))
  const forged = signed && (await firstForged(path, place, stored, signed))
  if (forged === undefined) {
    const offset = Buffer.byteLength(`${checkpoint.origin}\n${String(checkpoint.size)}\n`)
    const detail =
      'neither the write-ahead log nor the tiles nor the bundles give the root that is signed here'
    problems.add('checkpoint.mismatch', join(place, CHECKPOINT_FILE), offset, detail)
    return
  }
  const { file, offset, index } = forged
  problems.add('entry.changed', file, offset, `entry ${String(index)} is not the one that was signed`)
}

function hashOf(entry: Buffer | undefined): Buffer | undefined {
  return entry && leafHash(entry)
}

function gives(checkpoint: Checkpoint, leafAt: (index: number) => Buffer | undefined): boolean {
  const edge = new TreeEdge(() => undefined)
  for (let index = 0; index < checkpoint.size; index++) {
    const leaf = leafAt(index)
    if (leaf === undefined) return false
    edge.append(leaf)
  }
  return edge.root().equals(checkpoint.root)
}

async function firstForged(
  path: EpochPath,
  place: string,
  stored: StoredTiles,
  leafAt: (index: number) => Buffer | undefined,
): Promise<{ readonly file: string; readonly offset: number; readonly index: number } | undefined> {
  for (const number of await listSegments(path.directory)) {
    const name = segmentName(number)
    const { entries } = await readSegment(join(path.directory, name))
    for (const { index, offset, bytes } of entries) {
      const leaf = leafAt(index)
      if (leaf === undefined || leaf.equals(leafHash(bytes))) continue
      const entry = stored.entry(index)
      const within = entry !== undefined && leafHash(entry).equals(leaf) ? firstDifference(entry, bytes) : 0
      return { file: join(place, name), offset: offset + frameBytes(0) + within, index }
    }
  }
  return undefined
}
