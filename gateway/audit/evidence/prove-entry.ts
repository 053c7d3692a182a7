import { join } from 'node:path'
import { readIfThere } from '../make-once.ts'
import { CHECKPOINT_FILE, parseCheckpoint, type SignedCheckpoint } from '../tlog/checkpoint.ts'
import { leafHash } from '../tlog/merkle-hash.ts'
import { verifyInclusion } from '../tlog/proof.ts'
import { proveInclusion } from '../tlog/prove-inclusion.ts'
import { StoredTree } from '../tlog/stored-tree.ts'
import { COSIGNED_FILE } from '../witness/witnessing.ts'
import type { ProofFile } from './proof-file.ts'

/**
 * Proves entry `index` of the log in `directory` from its tiles, against the checkpoint that witnesses cosigned where
 * that covers it, else the newest. Disclosures are the caller's to add.
 *
 * @throws Error when the entry is not signed yet, and when the tiles do not give what was signed
 */
export async function proveEntry(
  directory: string,
  index: number,
): Promise<ProofFile & { readonly checkpoint: SignedCheckpoint }> {
  const { note, checkpoint } = await checkpointOver(directory, index)
  const tree = new StoredTree(directory, checkpoint.size)
  const entry = await tree.entry(index)
  const hashes = await proveInclusion(tree, index, checkpoint.size)
  // Whoever gets it will find out; better that it is told of here.
  if (
    entry === undefined ||
    !verifyInclusion(index, checkpoint.size, leafHash(entry), hashes, checkpoint.root)
  )
    throw new Error(
      `the files in ${directory} do not give what was signed: toolgate audit verify names which`,
    )
  return { index, hashes, note, entry, disclosures: [], checkpoint }
}

async function checkpointOver(
  directory: string,
  index: number,
): Promise<{ readonly note: string; readonly checkpoint: SignedCheckpoint }> {
  for (const file of [COSIGNED_FILE, CHECKPOINT_FILE]) {
    const note = (await readIfThere(join(directory, file)))?.toString()
    const checkpoint = note === undefined ? undefined : parseCheckpoint(note)
    if (note !== undefined && checkpoint !== undefined && index < checkpoint.size) return { note, checkpoint }
  }
  throw new Error(
    `no checkpoint in ${directory} covers entry ${String(index)}: it is not signed yet, or pruned`,
  )
}
