import { largestPowerBelow, StoredTree } from './stored-tree.ts'

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
