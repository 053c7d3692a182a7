import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createSecretSource, readSecret } from '../../../gateway/credentials/secret-source.ts'
import type { SecretReading, SecretSource } from '../../../gateway/credentials/secret-source.ts'

function temporaryFolder(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'toolgate-secret-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

const revealed = (reading: SecretReading): string => (reading.ok ? reading.secret.reveal() : reading.reason)

/** A followed file and the values it took, as they came. */
function follow(path: string): { source: SecretSource; seen: string[] } {
  const seen: string[] = []
  const source = createSecretSource(
    { source: 'file', name: path },
    { environment: {}, onChange: () => seen.push(revealed(source.current())), pollMs: 50 },
  )
  return { source, seen }
}

it.each([
  ['secret', 'secret'],
  ['secret\n', 'secret'],
  ['secret\r\n', 'secret'],
  ['secret\n\n', 'not_a_field_value'],
  [' spaced ', ' spaced '],
  ['', 'empty'],
  ['\n', 'empty'],
  ['two\nlines', 'not_a_field_value'],
  ['bell\u0007', 'not_a_field_value'],
])('reads %j from the environment as %j', (text, expected) => {
  expect(revealed(readSecret({ source: 'env', name: 'NAME' }, { NAME: text }))).toBe(expected)
})

it('reads nothing that the environment only inherits', () => {
  expect(revealed(readSecret({ source: 'env', name: 'constructor' }, {}))).toBe('missing')
})

it('does not read what is no file, too large or not there', () => {
  using folder = temporaryFolder()
  const at = (name: string): string => join(folder.path, name)
  writeFileSync(at('large'), 'x'.repeat(64 * 1024 + 1))
  const read = (name: string): string => revealed(readSecret({ source: 'file', name: at(name) }, {}))
  expect(read('large')).toBe('too_large')
  expect(read('none')).toBe('missing')
  expect(read('.')).toBe('unreadable')
  // Reading a device or a pipe may never come to an end.
  expect(revealed(readSecret({ source: 'file', name: '/dev/zero' }, {}))).toBe('unreadable')
})

it('follows a file that is written anew', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'token')
  writeFileSync(path, 'first\n')
  const { source, seen } = follow(path)
  using _source = source
  expect(revealed(source.current())).toBe('first')
  writeFileSync(path, 'second\n')
  await expect.poll(() => seen).toEqual(['second'])
})

it('follows the swap of a folder of secrets as Kubernetes does it', async () => {
  using folder = temporaryFolder()
  const at = (...names: string[]): string => join(folder.path, ...names)
  for (const [version, value] of [
    ['..v1', 'first'],
    ['..v2', 'second'],
  ] as const) {
    mkdirSync(at(version))
    writeFileSync(at(version, 'token'), value)
  }
  symlinkSync('..v1', at('..data'))
  symlinkSync('..data/token', at('token'))
  const { source, seen } = follow(at('token'))
  using _source = source
  expect(revealed(source.current())).toBe('first')
  symlinkSync('..v2', at('..data_tmp'))
  renameSync(at('..data_tmp'), at('..data'))
  await expect.poll(() => seen).toEqual(['second'])
})

it('has no secret once its file is emptied or removed, and has one again when it is back', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'token')
  writeFileSync(path, 'first')
  const { source, seen } = follow(path)
  using _source = source
  truncateSync(path)
  await expect.poll(() => seen).toEqual(['empty'])
  unlinkSync(path)
  await expect.poll(() => seen).toEqual(['empty', 'missing'])
  writeFileSync(path, 'second')
  await expect.poll(() => seen).toEqual(['empty', 'missing', 'second'])
})

it('says nothing when a file is touched without change', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'token')
  writeFileSync(path, 'same')
  const { source, seen } = follow(path)
  using _source = source
  writeFileSync(path, 'same\n')
  writeFileSync(path, 'other')
  await expect.poll(() => seen).toEqual(['other'])
})
