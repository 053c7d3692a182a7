import { Writable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createRedisClient } from '../../../gateway/store/redis-client.ts'
import { redisScript, runScript } from '../../../gateway/store/redis-script.ts'
import { writeTogether } from '../../../gateway/store/write-together.ts'
import { type RunningRedis, startRedis } from '../../harness/redis.ts'

let redis: RunningRedis
let client: Redis

beforeAll(async () => {
  redis = await startRedis()
  const connection = { password: undefined, sentinels: [], sentinelName: undefined, caFile: undefined }
  client = createRedisClient({ ...connection, url: redis.url, timeoutMs: 5_000 }, () => {})
  await new Promise((resolve) => client.once('ready', resolve))
})
afterAll(async () => {
  await client.quit()
  await redis[Symbol.asyncDispose]()
})

const ECHO = redisScript('return ARGV[1]')

it('answers each of many scripts that are begun together, in their order', async () => {
  const asked = Array.from({ length: 100 }, (_none, index) => String(index))
  const answers = await Promise.all(asked.map((each) => runScript(client, ECHO, [], [each])))
  expect(answers).toEqual(asked)
})

it('writes what is begun in one turn of the event loop at once', async () => {
  await client.script('LOAD', ECHO.lua)
  const before = await readsOfRedis()
  await Promise.all(Array.from({ length: 50 }, () => runScript(client, ECHO, [], ['x'])))
  // Counted by Redis itself; the question is one of them.
  expect((await readsOfRedis()) - before).toBeLessThan(10)
})

it('holds nothing back beyond the turn', async () => {
  client.stream.uncork()
  writeTogether(client)
  expect(client.stream.writableCorked).toBe(1)
  writeTogether(client)
  expect(client.stream.writableCorked).toBe(1)
  await turn()
  expect(client.stream.writableCorked).toBe(0)
})

it('lets a stream go that another one has taken the place of', async () => {
  const old = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reconnected: { stream: Writable } = { stream: old }
  writeTogether(reconnected)
  reconnected.stream = client.stream
  await turn()
  expect(old.writableCorked).toBe(0)
})

async function readsOfRedis(): Promise<number> {
  const [, reads = '0'] = /total_reads_processed:(\d+)/.exec(await redis.admin.info('stats')) ?? []
  return Number(reads)
}
