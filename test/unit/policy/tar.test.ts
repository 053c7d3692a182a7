import { describe, expect, test } from 'vitest'
import { readTar } from '../../../gateway/policy/bundles/tar.ts'
import { tar, tarEntry, tarEnd } from '../../harness/tar.ts'

const LIMITS = { maxEntries: 4, maxEntryBytes: 2048 }
const read = (archive: Buffer): ReadonlyMap<string, Buffer> => readTar(archive, LIMITS)

describe('an archive', () => {
  test('gives its files by name, without a leading slash or dot', () => {
    const archive = tar([
      { name: '/policy.wasm', content: 'wasm' },
      { name: './data.json', content: '' },
      { name: 'gateway/decision.rego', content: 'x'.repeat(513) },
    ])
    const entries = [...read(archive)].map(([name, content]) => [name, content.length])
    expect(entries).toEqual([
      ['policy.wasm', 4],
      ['data.json', 0],
      ['gateway/decision.rego', 513],
    ])
  })

  test('may hold folders, which count for nothing', () => {
    const archive = tar([
      { name: './', type: '5' },
      { name: 'gateway/', type: '5' },
      { name: 'gateway/a.rego', content: 'x' },
    ])
    expect([...read(archive).keys()]).toEqual(['gateway/a.rego'])
  })

  test('may split a long name as ustar does', () => {
    const archive = tar([{ name: 'a.rego', prefix: 'gateway/packs' }])
    expect([...read(archive).keys()]).toEqual(['gateway/packs/a.rego'])
  })

  test.each([
    ['../policy.wasm'],
    ['gateway/../../policy.wasm'],
    ['//policy.wasm'],
    ['gateway//a.rego'],
    ['gateway/./a.rego'],
    ['/'],
    [''],
    ['..'],
    ['a\\b.rego'],
    ['a b.rego'],
    ['C:policy.wasm'],
    ['policy.wasm\n'],
  ])('is refused for an entry named %j', (name) => {
    expect(() => read(tar([{ name, content: 'x' }]))).toThrow(/has an entry named/)
  })

  test.each([
    ['a hard link', '1'],
    ['a symbolic link', '2'],
    ['a character device', '3'],
    ['a fifo', '6'],
    ['a PAX header', 'x'],
    ['a global PAX header', 'g'],
    ['a GNU long name', 'L'],
    ['a sparse file', 'S'],
  ])('is refused for %s', (_, type) => {
    expect(() => read(tar([{ name: 'data.json', type }]))).toThrow(/has an entry of type/)
  })

  test('is refused for the same name twice', () => {
    const archive = tar([
      { name: 'policy.wasm', content: 'a' },
      { name: '/policy.wasm', content: 'b' },
    ])
    expect(() => read(archive)).toThrow(/holds policy.wasm twice/)
  })

  test('is refused for too many entries', () => {
    const archive = tar(['a', 'b', 'c', 'd', 'e'].map((name) => ({ name })))
    expect(() => read(archive)).toThrow(/more than 4 entries/)
  })

  test('is refused for an entry that is too large', () => {
    expect(() => read(tar([{ name: 'data.json', content: 'x'.repeat(2049) }]))).toThrow(
      /more than 2048 bytes/,
    )
  })

  test('is refused for a size that is not octal', () => {
    for (const size of ['-0000000001', '0x000000010', '\u0080\0\0\0\0\0\0\0\0\0\u0001', '99999999999']) {
      expect(() => read(tar([{ name: 'data.json', size }]))).toThrow(/not octal/)
    }
  })

  test('is refused when a header was changed', () => {
    const archive = tar([{ name: 'data.json', content: '{}' }])
    archive.write('x', 0)
    expect(() => read(archive)).toThrow(/wrong checksum/)
  })

  test('is refused when it is cut short anywhere', () => {
    const archive = tar([{ name: 'data.json', content: 'x'.repeat(600) }])
    for (let length = 0; length < archive.length; length += 100) {
      expect(() => read(archive.subarray(0, length))).toThrow(/the archive/)
    }
  })

  test('is refused for anything after its end', () => {
    const archive = Buffer.concat([tar([{ name: 'a' }]), tarEntry({ name: 'b' }), tarEnd()])
    expect(() => read(archive)).toThrow(/does not end with its end marker/)
  })

  test('is refused when it is none', () => {
    expect(() => read(Buffer.from('PK\u0003\u0004'.padEnd(2048, 'x')))).toThrow(/not in the ustar format/)
  })
})
