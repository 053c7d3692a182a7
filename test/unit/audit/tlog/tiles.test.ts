import { describe, expect, it } from 'vitest'
import { EntryBundle, parseBundle } from '../../../../gateway/audit/tlog/entry-bundle.ts'
import { Integrator } from '../../../../gateway/audit/tlog/integrator.ts'
import { parseTilePath, partialWidths, tilePath, tilesOf } from '../../../../gateway/audit/tlog/tile-path.ts'

describe('the path of a tile', () => {
  it.each([
    [{ level: 0, index: 0, width: 256 }, 'tile/0/000'],
    // The example of tlog-tiles.
    [{ level: 0, index: 1_234_067, width: 256 }, 'tile/0/x001/x234/067'],
    [{ level: 1, index: 999, width: 17 }, 'tile/1/999.p/17'],
    [{ level: 2, index: 1000, width: 256 }, 'tile/2/x001/000'],
    [{ level: 'entries', index: 273, width: 112 }, 'tile/entries/273.p/112'],
  ] as const)('%j is %s, and back', (tile, path) => {
    expect(tilePath(tile)).toBe(path)
    expect(parseTilePath(path)).toEqual(tile)
  })

  it.each([
    'tile/0/0',
    'tile/00/000',
    'tile/0/x000/000',
    'tile/0/000.p/256',
    'tile/0/000.p/0',
    'tile/0/000.p/01',
    'tile/0/000.tmp',
    'tile/data/000',
    'tile/0/001/000',
    'checkpoint',
    'tile/0/../000',
  ])('%s is none', (path) => {
    expect(parseTilePath(path)).toBeUndefined()
  })
})

describe('the tiles of a tree', () => {
  it('of 70,000 entries are those that tlog-tiles counts', () => {
    const tiles = [...tilesOf(70_000)]
    const at = (level: number | 'entries', width?: number): number =>
      tiles.filter((tile) => tile.level === level && (width === undefined || tile.width === width)).length
    expect([at(0, 256), at(0, 112), at(0)]).toEqual([273, 1, 274])
    expect([at(1, 256), at(1, 17), at(1)]).toEqual([1, 1, 2])
    expect([at(2, 1), at(2), at(3)]).toEqual([1, 1, 0])
    expect([at('entries', 256), at('entries', 112)]).toEqual([273, 1])
    expect(partialWidths(70_000)).toEqual([112, 17, 1])
  })

  it('of 256 entries are a full one with its hash in a partial one above', () => {
    expect([...tilesOf(256)].map(tilePath)).toEqual(['tile/entries/000', 'tile/0/000', 'tile/1/000.p/1'])
  })

  it('of none are none', () => {
    expect([...tilesOf(0)]).toEqual([])
  })
})

describe('entries', () => {
  it('become exactly the tiles of their tree', () => {
    for (const size of [0, 1, 255, 256, 257, 66_000]) {
      const entries = Array.from({ length: size }, (_, index) => Buffer.from(String(index)))
      const integrator = new Integrator()
      for (const entry of entries) integrator.add(entry)
      const { full, partial } = integrator.snapshot()
      expect([...full, ...partial].map(({ path }) => path).sort()).toEqual(
        [...tilesOf(size)].map(tilePath).sort(),
      )
    }
  })

  it('come out of a bundle as they went in, the largest and the empty one too', () => {
    const entries = [Buffer.from('a'), Buffer.alloc(0), Buffer.alloc(65_535, 'z'), Buffer.from('end')]
    const bundle = new EntryBundle()
    for (const entry of entries) bundle.add(entry)
    expect(parseBundle(bundle.bytes(), 4)).toEqual(entries)
    expect(parseBundle(bundle.bytes(), 3)).toBeUndefined()
    expect(parseBundle(bundle.bytes(), 5)).toBeUndefined()
    expect(parseBundle(bundle.bytes().subarray(0, -1), 4)).toBeUndefined()
  })
})
