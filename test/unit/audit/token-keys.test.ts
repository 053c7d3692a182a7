import { readdir, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openTokenKeys, readTokenKeys } from '../../../gateway/audit/token-keys.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'
import { until } from '../../harness/until.ts'

async function keysAt(directory: string, nowMs: () => number) {
  const rotations: string[] = []
  const tokens = await openTokenKeys({
    directory,
    clock: { nowMs },
    onRotated: (id, before) => rotations.push(`${before} → ${id}`),
    onFault: (cause) => expect.unreachable(String(cause)),
  })
  return { tokens, rotations }
}

it('a token key is made once, for this user alone, and the same for all who start together', async () => {
  await using directory = await temporaryDirectory()
  const nowMs = (): number => Date.UTC(2026, 10, 25)
  const opened = await Promise.all(Array.from({ length: 8 }, () => keysAt(directory.path, nowMs)))
  expect(new Set(opened.map(({ tokens }) => tokens.tokenOf('4711'))).size).toBe(1)
  expect((await readdir(directory.path)).sort()).toEqual(['token-2026-11.key', 'token-2026-12.key'])
  expect((await stat(join(directory.path, 'token-2026-11.key'))).mode & 0o777).toBe(0o600)
})

it('a token key that was cut short is not used', async () => {
  await using directory = await temporaryDirectory()
  await writeFile(join(directory.path, 'token-2026-11.key'), 'short')
  await expect(keysAt(directory.path, () => Date.UTC(2026, 10, 25))).rejects.toThrow(RangeError)
})

it('another key takes over with the month, and says so; the old one still recognises its tokens', async () => {
  await using directory = await temporaryDirectory()
  let nowMs = Date.UTC(2026, 11, 31, 23, 59, 59, 999)
  const { tokens, rotations } = await keysAt(directory.path, () => nowMs)
  const before = tokens.tokenOf('4711')
  nowMs += 1
  const after = tokens.tokenOf('4711')
  expect([before.slice(0, 13), after.slice(0, 13)]).toEqual(['hmac:2026-12:', 'hmac:2027-01:'])
  expect(after.slice(13)).not.toBe(before.slice(13))
  expect(rotations).toEqual(['2026-12 → 2027-01'])
  await until(async () => (await readdir(directory.path)).includes('token-2027-02.key'))

  const recognised = async (): Promise<string[]> =>
    (await readTokenKeys(directory.path)).map((key) => key.tokenOf('4711'))
  expect((await recognised()).slice(1)).toEqual([after, before])
  await unlink(join(directory.path, 'token-2026-12.key'))
  expect(await recognised()).not.toContain(before)
})
