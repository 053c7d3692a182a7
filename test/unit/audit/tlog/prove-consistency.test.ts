import { expect, it } from 'vitest'
import { systemDisk } from '../../../../gateway/audit/log-disk.ts'
import { DerivedFiles } from '../../../../gateway/audit/tlog/derived-files.ts'
import { Integrator } from '../../../../gateway/audit/tlog/integrator.ts'
import { verifyConsistency, verifyInclusion } from '../../../../gateway/audit/tlog/proof.ts'
import { proveConsistency } from '../../../../gateway/audit/tlog/prove-consistency.ts'
import { proveInclusion } from '../../../../gateway/audit/tlog/prove-inclusion.ts'
import { leafHash } from '../../../../gateway/audit/tlog/merkle-hash.ts'
import { StoredTree } from '../../../../gateway/audit/tlog/stored-tree.ts'
import { referenceConsistency, referenceInclusion, referenceRoot } from '../../../harness/reference-tree.ts'
import { temporaryDirectory } from '../../../harness/temporary-directory.ts'

const ENTRIES = Array.from({ length: 1_100 }, (_, index) => Buffer.from(`entry ${index}`))

/** Publishes trees of these sizes one after the other, as a log that grows does. */
async function publish(directory: string, sizes: readonly number[]): Promise<void> {
  const integrator = new Integrator()
  const files = new DerivedFiles(systemDisk, directory)
  for (const size of sizes) {
    for (const entry of ENTRIES.slice(integrator.size, size)) integrator.add(entry)
    const { full, partial } = integrator.snapshot()
    await files.write([...full, ...partial])
  }
}

it.each([1, 2, 3, 7, 255, 256, 257, 511, 512, 600, 1_024, 1_100])(
  'proves from tiles what RFC 6962 proves, up to %i entries',
  async (size) => {
    await using directory = await temporaryDirectory()
    await publish(directory.path, [size])
    const entries = ENTRIES.slice(0, size)
    const root = referenceRoot(entries)
    for (const oldSize of [1, 2, 3, 6, 128, 255, 256, 257, 300, 512, 513, 768, 1_099, size]) {
      if (oldSize > size) continue
      const proof = await proveConsistency(directory.path, oldSize, size)
      expect(proof).toEqual(referenceConsistency(oldSize, entries))
      expect(verifyConsistency(oldSize, size, proof, referenceRoot(entries.slice(0, oldSize)), root)).toBe(
        true,
      )
    }
    expect(await proveConsistency(directory.path, 0, size)).toEqual([])
  },
)

it('proves for a size that the log has left behind, from the full tiles that replaced the partial ones', async () => {
  await using directory = await temporaryDirectory()
  await publish(directory.path, [700])
  expect(await proveConsistency(directory.path, 100, 500)).toEqual(
    referenceConsistency(100, ENTRIES.slice(0, 500)),
  )
})

it.each([1, 2, 3, 255, 256, 257, 600, 1_100])(
  'proves from tiles that an entry is among %i, as RFC 6962 does',
  async (size) => {
    await using directory = await temporaryDirectory()
    await publish(directory.path, [size, 1_100])
    const entries = ENTRIES.slice(0, size)
    const root = referenceRoot(entries)
    for (const index of [0, 1, 254, 256, 512, 1_024, size - 1]) {
      const entry = entries[index]
      if (entry === undefined) continue
      const tree = new StoredTree(directory.path, size)
      const proof = await proveInclusion(tree, index, size)
      expect(proof).toEqual(referenceInclusion(index, entries))
      expect(await tree.entry(index)).toEqual(entry)
      expect(verifyInclusion(index, size, leafHash(entry), proof, root)).toBe(true)
    }
  },
)
