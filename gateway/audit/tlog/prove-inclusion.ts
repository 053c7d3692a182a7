import { largestPowerBelow, type StoredTree } from './stored-tree.ts'

/**
 * Proof that a tree of `size` entries has the one of number `index`, leaf's sibling first: a few tiles, however large
 * the tree is. Rejects when a tile is not there.
 *
 * @see RFC 6962 §2.1.1, PATH(m, D[n])
 */
export async function proveInclusion(tree: StoredTree, index: number, size: number): Promise<Buffer[]> {
  const proof: Buffer[] = []
  let start = 0
  let end = size
  while (end - start > 1) {
    const split = start + largestPowerBelow(end - start)
    if (index < split) {
      proof.push(await tree.root(split, end))
      end = split
    } else {
      proof.push(await tree.root(start, split))
      start = split
    }
  }
  return proof.reverse()
}
