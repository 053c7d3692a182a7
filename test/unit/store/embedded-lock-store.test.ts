import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openControlFile } from '../../../gateway/store/control-file.ts'
import { createEmbeddedLockStore } from '../../../gateway/store/embedded-lock-store.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../harness/temporary-directory.ts'
import { until } from '../../harness/until.ts'
import { aLock } from '../locks/a-lock.ts'
import { describeLockStore, Knowing, type LockStoreUnderTest } from './lock-store-contract.ts'

let folder: TemporaryDirectory
let count = 0
const failures: unknown[] = []
beforeAll(async () => {
  folder = await temporaryDirectory()
})
afterAll(() => folder[Symbol.asyncDispose]())

const path = (): string => join(folder.path, `control-${String(count)}.db`)

async function open(): Promise<LockStoreUnderTest> {
  const onFailure = (cause: unknown): void => void failures.push(cause)
  const file = openControlFile({ path: path(), onFailure })
  const knowing = new Knowing()
  const store = createEmbeddedLockStore({
    file,
    follower: knowing,
    events: { failed: onFailure },
    clock: { nowMs: () => Date.now() },
  })
  return {
    store,
    knowing,
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]()
      file[Symbol.dispose]()
    },
  }
}

describeLockStore('locks in the control file', open, async () => void (count += 1))

it('says nothing of locks that it cannot read, so that they count as unknown', async () => {
  count += 1
  await using mine = await open()
  const file = openControlFile({ path: path(), onFailure: () => undefined })
  file.transact(() =>
    file.database.exec(
      `INSERT INTO locks VALUES ('1', '{"scope":"planet:earth"}'); UPDATE lock_epoch SET epoch = 9`,
    ),
  )
  file[Symbol.dispose]()
  failures.length = 0
  await until(() => failures.length > 0)
  const { heardTimes } = mine.knowing
  await until(() => failures.length > 2)
  expect(mine.knowing.heardTimes).toBe(heardTimes)
})

it('says nothing more once its file is gone', async () => {
  count += 1
  await using mine = await open()
  await mine.store.add(aLock('all'))
  failures.length = 0
  rmSync(path())
  await until(() => failures.length > 0)
  const { heardTimes } = mine.knowing
  await new Promise((resolve) => setTimeout(resolve, 250))
  expect(mine.knowing.heardTimes).toBe(heardTimes)
  expect(mine.knowing.scopes).toEqual(['all'])
})
