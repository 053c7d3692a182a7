import { assert, integer, nat, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EMPTY_ROOT, leafHash, nodeHash, subtreeRoot } from '../../../../gateway/audit/tlog/merkle-hash.ts'
import { verifyConsistency, verifyInclusion } from '../../../../gateway/audit/tlog/proof.ts'
import { TreeEdge } from '../../../../gateway/audit/tlog/tree-edge.ts'
import { referenceConsistency, referenceInclusion, referenceRoot } from '../../../harness/reference-tree.ts'

/** The reference tree of Certificate Transparency: its leaves, and the root at each size. */
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => Buffer.from(hex, 'hex'))
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

const entriesOf = (size: number): Buffer[] =>
  Array.from({ length: size }, (_, index) => Buffer.from(`entry ${String(index)}`))

function edgeOf(entries: readonly Buffer[]): TreeEdge {
  const edge = new TreeEdge(() => undefined)
  for (const entry of entries) edge.append(leafHash(entry))
  return edge
}

describe('the tree', () => {
  it.each(ROOTS.map((root, size) => [size, root] as const))(
    'of %i reference leaves has their root',
    (size, root) => {
      expect(edgeOf(LEAVES.slice(0, size)).root().toString('hex')).toBe(root)
    },
  )

  it('has the root that the recursion of the RFC gives, at every size over the edges of tiles', () => {
    for (const size of [1, 2, 3, 127, 255, 256, 257, 511, 512, 513, 700]) {
      const entries = entriesOf(size)
      expect(edgeOf(entries).root()).toEqual(referenceRoot(entries))
    }
  })

  it('goes on from its right edge as if it had never stopped', () => {
    for (const size of [0, 1, 255, 256, 257, 600]) {
      const entries = entriesOf(size + 300)
      const before = edgeOf(entries.slice(0, size))
      const widths = before.partials()
      const levels = Math.max(0, ...widths.map(({ tile }) => Number(tile.level) + 1))
      const partials = Array.from(
        { length: levels },
        (_, level) => widths.find(({ tile }) => tile.level === level)?.hashes ?? Buffer.alloc(0),
      )
      const tiles: string[] = []
      const resumed = TreeEdge.resume(
        size,
        partials,
        ({ level, index }) => void tiles.push(`${level}/${index}`),
      )
      expect(resumed.root()).toEqual(before.root())
      for (const entry of entries.slice(size)) resumed.append(leafHash(entry))
      expect(resumed.root()).toEqual(referenceRoot(entries))
      expect(tiles).toContain(`0/${Math.floor(size / 256)}`)
    }
  })

  it('tells leaves from nodes: the hash of a node is no entry', () => {
    const [left, right] = [leafHash(Buffer.from('a')), leafHash(Buffer.from('b'))]
    expect(leafHash(Buffer.concat([left, right]))).not.toEqual(nodeHash(left, right))
  })

  it('has subtrees whose root is that of their leaves', () => {
    const entries = entriesOf(8)
    const hashes = Buffer.concat(entries.map(leafHash))
    expect(subtreeRoot(hashes, 0, 8)).toEqual(referenceRoot(entries))
    expect(subtreeRoot(hashes, 4 * 32, 2)).toEqual(referenceRoot(entries.slice(4, 6)))
    expect(EMPTY_ROOT).toEqual(referenceRoot([]))
  })
})

const SIZES = Array.from({ length: 18 }, (_, index) => index + 1)

/** One change each that makes another claim of a true one. */
function brokenProofs(proof: readonly Buffer[]): Buffer[][] {
  const flipped = proof.map((_, at) =>
    proof.map((hash, index) =>
      index === at ? Buffer.from(hash.map((byte, bit) => (bit === 5 ? byte ^ 1 : byte))) : hash,
    ),
  )
  const extra = Buffer.alloc(32, 7)
  return [
    ...flipped,
    [...proof, extra],
    [extra, ...proof],
    ...(proof.length > 0 ? [proof.slice(1), proof.slice(0, -1)] : []),
  ]
}

describe('a proof of inclusion', () => {
  it('holds for every entry of every small tree, and for nothing else', () => {
    for (const size of SIZES) {
      const entries = entriesOf(size)
      const root = referenceRoot(entries)
      for (const [index, entry] of entries.entries()) {
        const proof = referenceInclusion(index, entries)
        const leaf = leafHash(entry)
        expect(verifyInclusion(index, size, leaf, proof, root)).toBe(true)
        for (const broken of brokenProofs(proof)) {
          expect(verifyInclusion(index, size, leaf, broken, root)).toBe(false)
        }
        expect(verifyInclusion(index, size, leafHash(Buffer.from('x')), proof, root)).toBe(false)
        expect(verifyInclusion(index, size, leaf, proof, leafHash(entry).fill(1))).toBe(false)
        for (const other of [index - 1, index + 1, size, index + 0.5]) {
          expect(verifyInclusion(other, size, leaf, proof, root)).toBe(false)
        }
      }
    }
  })

  it('holds in trees of many tiles', () => {
    assert(
      property(integer({ min: 200, max: 600 }), nat(), (size, seed) => {
        const entries = entriesOf(size)
        const index = seed % size
        const leaf = leafHash(entries[index] ?? Buffer.alloc(0))
        expect(
          verifyInclusion(index, size, leaf, referenceInclusion(index, entries), referenceRoot(entries)),
        ).toBe(true)
      }),
      { numRuns: 10 },
    )
  })
})

describe('a proof of consistency', () => {
  it('holds between every two sizes of a small tree, and for nothing else', () => {
    for (const size of SIZES) {
      const entries = entriesOf(size)
      const root = referenceRoot(entries)
      for (let oldSize = 1; oldSize <= size; oldSize++) {
        const proof = referenceConsistency(oldSize, entries)
        const oldRoot = referenceRoot(entries.slice(0, oldSize))
        expect(verifyConsistency(oldSize, size, proof, oldRoot, root)).toBe(true)
        for (const broken of brokenProofs(proof)) {
          expect(verifyConsistency(oldSize, size, broken, oldRoot, root)).toBe(false)
        }
        const wrong = Buffer.alloc(32, 9)
        expect(verifyConsistency(oldSize, size, proof, wrong, root)).toBe(false)
        expect(verifyConsistency(oldSize, size, proof, oldRoot, wrong)).toBe(false)
        expect(verifyConsistency(size + 1, size, proof, oldRoot, root)).toBe(false)
      }
    }
  })

  it('says of the empty tree that it begins every other', () => {
    const root = referenceRoot(entriesOf(5))
    expect(verifyConsistency(0, 5, [], EMPTY_ROOT, root)).toBe(true)
    expect(verifyConsistency(0, 5, [], root, root)).toBe(false)
    expect(verifyConsistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)).toBe(true)
    expect(verifyConsistency(0, 5, [root], EMPTY_ROOT, root)).toBe(false)
  })
})
