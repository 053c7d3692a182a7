import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readText } from '../../../gateway/config/load.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'

async function problemsOf(settings: object): Promise<string[]> {
  await using folder = await temporaryDirectory()
  writeFileSync(join(folder.path, 'taken'), '')
  const whole = {
    identity: {
      issuers: [{ issuer: 'https://i.example', audiences: ['a'], jwks: { uri: 'https://i.example/k' } }],
    },
    connectors: { github: { credential: { type: 'none' } } },
    ...settings,
  }
  const { problems } = readText(JSON.stringify(whole), { environment: {}, folder: folder.path })
  return problems.map(({ path }) => path)
}

const redis = { url: 'redis://127.0.0.1:1' }

it('workers share locks and approvals through a file while they count in Redis', async () => {
  const store = { kind: 'redis', redis: { ...redis, shares: 2 }, controlKind: 'embedded' }
  expect(await problemsOf({ workers: 2, store })).toEqual([])
})

it('one process may count by itself and share locks and approvals', async () => {
  expect(await problemsOf({ store: { redis, controlKind: 'redis' } })).toEqual([])
  expect(await problemsOf({ store: { controlKind: 'redis' } })).toEqual(['store.redis'])
})

it('a fleet cannot keep locks and approvals where only one machine knows them', async () => {
  const store = { kind: 'redis', redis: { ...redis, shares: 4 }, controlKind: 'embedded' }
  expect(await problemsOf({ workers: 2, store })).toEqual(['store.controlKind'])
})

it('the file has to be one that can be written, where it is used', async () => {
  const controlFile = 'taken/control.db'
  expect(await problemsOf({ store: { controlFile } })).toEqual(['store.controlFile'])
  expect(await problemsOf({ store: { kind: 'redis', redis, controlFile } })).toEqual([])
})
