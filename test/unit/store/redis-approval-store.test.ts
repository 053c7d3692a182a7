import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { vote } from '../../../gateway/approvals/vote.ts'
import { approvalId, ballot, person } from '../../harness/approval.ts'
import { openRedisApprovals } from '../../harness/redis-approvals.ts'
import { type RunningRedis, startRedis } from '../../harness/redis.ts'
import { until } from '../../harness/until.ts'
import { request, requestApproved } from './approval-requests.ts'
import { type ApprovalStoreUnderTest, describeApprovalStore } from './approval-store-contract.ts'

let redis: RunningRedis

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

async function start(): Promise<ApprovalStoreUnderTest> {
  await redis.admin.flushall()
  await using stack = new AsyncDisposableStack()
  const one = stack.use(openRedisApprovals(() => redis.admin.duplicate({ lazyConnect: false })))
  const other = stack.use(openRedisApprovals(() => redis.admin.duplicate({ lazyConnect: false })))
  const owned = stack.move()
  return {
    store: one.store,
    other: other.store,
    advance: async (ms) => {
      const until = performance.now() + ms
      while (performance.now() < until) await redis.admin.ping()
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

describeApprovalStore('the Redis store', start)

describe('the Redis store of approvals', () => {
  it('keeps every key in one slot of a cluster', async () => {
    await using under = await start()
    await requestApproved(under.store)
    for (const key of await redis.admin.keys('*')) expect(key).toMatch(/^tg:\{control\}:approvals:/)
  })

  it('ends what is over by itself, and nothing that is open', async () => {
    await using under = await start()
    const id = await requestApproved(under.store)
    const key = `tg:{control}:approvals:id:${id}`
    expect(await redis.admin.pttl(key)).toBe(-1)
    await under.store.change(id, (approval, nowMs) => ({
      next: { ...approval, state: 'denied', resolvedAtMs: nowMs },
      answer: undefined,
    }))
    expect(await redis.admin.pttl(key)).toBeGreaterThan(3_500_000)
    expect(await redis.admin.keys('*:open:*')).toEqual([])
    expect(await redis.admin.zcard('tg:{control}:approvals:due')).toBe(0)
    expect(await redis.admin.keys('*:pending:*')).toEqual([])
  })

  it('asks people anew when the one that was open is gone without a trace', async () => {
    await using under = await start()
    await request(under.store)
    await redis.admin.del('tg:{control}:approvals:id:approval-1')
    expect(await under.store.list({ states: ['pending'], limit: 10 })).toEqual([])
    expect(await request(under.store, { id: 'approval-2' })).toMatchObject({ kind: 'made' })
  })

  it('forgets where to find one that is gone without a trace, so that it is not due for ever', async () => {
    await using under = await start()
    await request(under.store, { demand: { answerWithinMs: 0 } })
    await redis.admin.del('tg:{control}:approvals:id:approval-1')
    expect(await under.store.due(10)).toEqual([])
    expect(await under.store.pending()).toMatchObject({ approval: { count: 0 } })
    const left = await redis.admin.keys('*')
    expect(left.filter((key) => !/:(open|pending):/.test(key))).toEqual([])
  })

  it('goes by its own time, whatever the gateways think that it is', async () => {
    await using under = await start()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 300_000 })
    const made = await request(under.store, { demand: { answerWithinMs: 60_000 } })
    vi.setSystemTime(Date.now() - 600_000)
    const late = await under.other.get(approvalId('approval-1'))
    vi.useRealTimers()
    const { createdAtMs = 0 } = late?.approval ?? {}
    expect(made).toMatchObject({ kind: 'made', approval: { createdAtMs } })
    expect(Math.abs(createdAtMs - Date.now())).toBeLessThan(60_000)
    expect(Math.abs((late?.nowMs ?? 0) - Date.now())).toBeLessThan(60_000)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 300_000 })
    const answer = await under.other.change(approvalId('approval-1'), (approval, nowMs) =>
      vote(approval, ballot(person('alice@acme.example')), nowMs),
    )
    vi.useRealTimers()
    expect(answer).toMatchObject({ kind: 'counted', approval: { state: 'approved' } })
    expect(await under.store.due(10)).toEqual([])
  })

  it('refuses what a later gateway wrote, and half of one', async () => {
    await using under = await start()
    await request(under.store)
    for (const value of ['{"v":2}', '{"v":1,"id":"approval-1"}', 'null', '7']) {
      await redis.admin.set('tg:{control}:approvals:id:approval-1', value)
      await expect(under.store.get(approvalId('approval-1'))).rejects.toThrow('did not write')
    }
  })

  it('tells who watches to look again when the connection that listens was lost', async () => {
    await using under = await start()
    await request(under.store)
    let told = 0
    under.store.watch(approvalId('approval-1'), () => told++)
    await until(async () =>
      String(await redis.admin.pubsub('NUMSUB', 'tg:{control}:approvals')).endsWith('2'),
    )
    const before = told
    await redis.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await until(() => told > before)
    expect(told).toBeGreaterThan(before)
  })

  it('asks in one trip what became of all that are watched, for messages that were lost', async () => {
    await using under = await start()
    const connections: Redis[] = []
    const connect = (): Redis => {
      const connection = redis.admin.duplicate({ lazyConnect: false })
      connections.push(connection)
      return connection
    }
    await using deaf = openRedisApprovals(connect, { lookAgainMs: 50 })
    const [client, , listener] = connections
    listener?.removeAllListeners('message')
    const told: string[] = []
    const ids = Array.from({ length: 200 }, (_, n) => `approval-${n}`)
    for (const id of ids) {
      await request(under.store, { id, subject: { binding: id, agent: { id, issuer: 'i', key: 'k' } } })
      deaf.store.watch(approvalId(id), () => told.push(id))
    }
    const trips = vi.spyOn(client ?? redis.admin, 'evalsha')
    await until(() => trips.mock.calls.length >= 3)
    expect(trips.mock.calls.every(([, , , , ...asked]) => asked.length === ids.length)).toBe(true)
    told.length = 0
    await redis.admin.del('tg:{control}:approvals:id:approval-8')
    await under.store.change(approvalId('approval-7'), (approval, nowMs) =>
      vote(approval, ballot(person('alice@acme.example')), nowMs),
    )
    await until(() => told.length >= 2)
    expect(new Set(told)).toEqual(new Set(['approval-7', 'approval-8']))
  })
})
