import { execFile } from 'node:child_process'
import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { type ControlFile, openControlFile } from '../../../gateway/store/control-file.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'
import { until } from '../../harness/until.ts'

const run = promisify(execFile)

function open(path: string, onFailure: (cause: unknown) => void = () => {}): ControlFile {
  return openControlFile({ path, onFailure })
}

test('makes the file and its folder for the owner alone', async () => {
  await using folder = await temporaryDirectory()
  const path = join(folder.path, 'made', 'control.db')
  using file = open(path)
  file.transact(() => file.database.exec('CREATE TABLE kept (value TEXT)'))
  for (const each of [path, `${path}-wal`, `${path}-shm`]) expect(statSync(each).mode & 0o777).toBe(0o600)
  expect(statSync(join(folder.path, 'made')).mode & 0o777).toBe(0o700)
})

test('keeps what a transaction wrote when it is opened again, and nothing of one that threw', async () => {
  await using folder = await temporaryDirectory()
  const path = join(folder.path, 'control.db')
  {
    using file = open(path)
    file.transact(() => file.database.exec("CREATE TABLE kept (value TEXT); INSERT INTO kept VALUES ('one')"))
    const failing = (): unknown =>
      file.transact(() => {
        file.database.exec("INSERT INTO kept VALUES ('two')")
        throw new Error('changed my mind')
      })
    expect(failing).toThrow('changed my mind')
  }
  using again = open(path)
  expect(again.database.prepare('SELECT value FROM kept').all()).toEqual([{ value: 'one' }])
})

test('tells those who watch of a change by this process and of one by another', async () => {
  await using folder = await temporaryDirectory()
  const path = join(folder.path, 'control.db')
  using mine = open(path)
  using theirs = open(path)
  let changes = 0
  const stop = mine.watch({ changed: () => changes++ })
  mine.transact(() => mine.database.exec('CREATE TABLE kept (value TEXT)'))
  await until(() => changes === 1)
  theirs.transact(() => theirs.database.exec("INSERT INTO kept VALUES ('one')"))
  await until(() => changes === 2)
  stop()
  mine.transact(() => mine.database.exec("INSERT INTO kept VALUES ('two')"))
  await Promise.resolve()
  expect(changes).toBe(2)
})

test('says so, and no longer that it was heard of, once the file is gone', async () => {
  await using folder = await temporaryDirectory()
  const path = join(folder.path, 'control.db')
  const failures: unknown[] = []
  using file = open(path, (cause) => void failures.push(cause))
  let heard = 0
  file.watch({ changed: () => {}, heard: () => heard++ })
  await until(() => heard > 0)
  rmSync(path)
  await until(() => failures.length === 1)
  expect(String(failures[0])).toContain('ENOENT')
})

test('refuses a file that a later gateway wrote, and what is no file', async () => {
  await using folder = await temporaryDirectory()
  const later = join(folder.path, 'later.db')
  const database = new DatabaseSync(later)
  database.exec('PRAGMA user_version = 99')
  database.close()
  expect(() => open(later)).toThrow('written by a later version')
  expect(() => open(folder.path)).toThrow('EISDIR')
})

test('is opened by several processes that start at the same moment', async () => {
  await using folder = await temporaryDirectory()
  const path = join(folder.path, 'control.db')
  const module = new URL('../../../gateway/store/control-file.ts', import.meta.url).href
  const script = `
    const { openControlFile } = await import(${JSON.stringify(module)})
    using file = openControlFile({ path: ${JSON.stringify(path)}, onFailure: (cause) => { throw cause } })
    file.transact(() => file.database.exec('CREATE TABLE IF NOT EXISTS kept (value TEXT); INSERT INTO kept VALUES (1)'))`
  const start = () => run(process.execPath, ['--input-type=module', '--eval', script])
  await Promise.all(Array.from({ length: 4 }, start))
  using file = open(path)
  expect(file.database.prepare('SELECT count(*) AS kept FROM kept').get()).toEqual({ kept: 4 })
})
