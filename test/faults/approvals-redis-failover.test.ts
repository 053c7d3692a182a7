import type { Redis } from 'ioredis'
import { expect, it } from 'vitest'
import { consume } from '../../gateway/approvals/consume.ts'
import { vote } from '../../gateway/approvals/vote.ts'
import { type ApprovalStore, Unwitnessed } from '../../gateway/store/approval-store.ts'
import { createRedisClient } from '../../gateway/store/redis-client.ts'
import { ballot, callId, EVERYBODY_IS_KNOWN, person, subject } from '../harness/approval.ts'
import { openRedisApprovals } from '../harness/redis-approvals.ts'
import { type RunningSentinels, startRedis, startRedisSentinel } from '../harness/redis.ts'
import { until } from '../harness/until.ts'
import { requestApproved } from '../unit/store/approval-requests.ts'

function connectTo({ primary, sentinels, name }: RunningSentinels): () => Redis {
  const options = {
    url: primary.url,
    password: undefined,
    sentinels,
    sentinelName: name,
    timeoutMs: 3_000,
    caFile: undefined,
  }
  return () => createRedisClient(options, () => {})
}

function consumeFor(call: string, store: ApprovalStore, id: Parameters<ApprovalStore['get']>[0]) {
  const use = { binding: subject().binding, callId: callId(call), personNow: EVERYBODY_IS_KNOWN.now }
  return store.change(id, (approval, nowMs) => consume(approval, use, nowMs), { witness: 'required' })
}

/** Asks until the store answers at all. */
async function answered<T>(ask: () => Promise<T>): Promise<T> {
  let answer: { readonly value: T } | undefined
  await until(async () => {
    answer = await ask().then(
      (value) => ({ value }),
      () => undefined,
    )
    return answer !== undefined
  })
  if (answer === undefined) throw new Error('no answer')
  return answer.value
}

it.each(['killed', 'frozen'] as const)(
  'a primary that is %s right after an approval was used: its replica knows, and it is never used again',
  async (how) => {
    await using fleet = await startRedisSentinel()
    await using gateway = openRedisApprovals(connectTo(fleet), { replicas: 1 })
    const { store } = gateway
    for (let round = 0; round < 20; round++) {
      const id = `approval-${round}`
      await answered(() =>
        requestApproved(store, { id, subject: { binding: subject().binding, agent: agent(round) } }),
      )
      const answer = await consumeFor('first', store, id as Parameters<ApprovalStore['get']>[0])
      expect(answer).toMatchObject({ kind: 'consumed' })
    }

    if (how === 'killed') await fleet.primary.kill()
    else fleet.primary.pause()
    await fleet.promoted()
    await using other = openRedisApprovals(connectTo(fleet))
    for (let round = 0; round < 20; round++) {
      const id = `approval-${round}` as Parameters<ApprovalStore['get']>[0]
      const again = await answered(() => consumeFor('second', other.store, id))
      expect(again).toMatchObject({ kind: 'refused', why: 'used' })
    }
    expect(gateway.unwitnessed).toEqual([])
    if (how === 'frozen') fleet.primary.resume()
  },
)

function agent(round: number) {
  return { id: `bot-${round}`, issuer: 'https://issuer.example', key: 'k' }
}

it('a primary that wakes up after another took over lets nothing be used a second time', async () => {
  await using fleet = await startRedisSentinel()
  await using gateway = openRedisApprovals(connectTo(fleet), { replicas: 1 })
  const id = await answered(() => requestApproved(gateway.store))
  await fleet.primary.admin.wait(1, 1_000)
  fleet.primary.pause()
  const asleep = consumeFor('asleep', gateway.store, id).catch(() => undefined)
  await fleet.promoted()
  await using other = openRedisApprovals(connectTo(fleet))
  expect(await answered(() => consumeFor('awake', other.store, id))).toMatchObject({ kind: 'consumed' })
  fleet.primary.resume()
  expect((await asleep)?.kind).not.toBe('consumed')
  const again = await answered(() => consumeFor('again', gateway.store, id))
  expect(again).toMatchObject({ kind: 'refused', why: 'used' })
})

it('a primary without its replica lets nothing be used, and takes nothing away', async () => {
  await using fleet = await startRedisSentinel()
  await using gateway = openRedisApprovals(connectTo(fleet), { replicas: 1 })
  const { store } = gateway
  const id = await answered(() => requestApproved(store))
  await fleet.replica.kill()
  await until(async () => (await fleet.primary.admin.info('replication')).includes('connected_slaves:0'))
  await expect(consumeFor('first', store, id)).rejects.toMatchObject({ name: 'Unwitnessed', kept: false })
  expect(await store.get(id)).toMatchObject({ approval: { state: 'approved' } })

  await fleet.replica.restart()
  await until(async () => (await fleet.primary.admin.info('replication')).includes('state=online'))
  expect(await answered(() => consumeFor('second', store, id))).toMatchObject({ kind: 'consumed' })
})

it('a replica that is attached but does not answer uses an approval up, for nobody', async () => {
  await using fleet = await startRedisSentinel()
  await using gateway = openRedisApprovals(connectTo(fleet), { replicas: 1 })
  const { store, unwitnessed } = gateway
  const id = await answered(() => requestApproved(store))
  fleet.replica.pause()
  await expect(consumeFor('first', store, id)).rejects.toBeInstanceOf(Unwitnessed)
  expect(unwitnessed).toEqual([id])
  fleet.replica.resume()
  expect(await answered(() => consumeFor('second', store, id))).toMatchObject({
    kind: 'refused',
    why: 'used',
  })
})

it('a no holds without its replica, and whoever runs the gateway is told', async () => {
  await using fleet = await startRedisSentinel()
  await using gateway = openRedisApprovals(connectTo(fleet), { replicas: 1 })
  const { store, unwitnessed } = gateway
  const id = await answered(() => requestApproved(store))
  fleet.replica.pause()
  const no = ballot(person('bob'), { verdict: 'deny' })
  const answer = await store.change(id, (approval, nowMs) => vote(approval, no, nowMs), { witness: 'sought' })
  expect(answer).toMatchObject({ kind: 'counted', approval: { state: 'denied' } })
  expect(unwitnessed).toEqual([id])
  fleet.replica.resume()
})

it('a restart of a server that keeps its commands keeps all approvals', async () => {
  await using redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
  const options = {
    url: redis.url,
    password: undefined,
    sentinels: [],
    sentinelName: undefined,
    caFile: undefined,
  }
  const connect = () => createRedisClient({ ...options, timeoutMs: 1_000 }, () => {})
  await using gateway = openRedisApprovals(connect)
  const { store } = gateway
  const id = await answered(() => requestApproved(store))
  await redis.restart()
  const reading = await answered(() => store.get(id))
  expect(reading).toMatchObject({ approval: { state: 'approved' } })
  expect(await consumeFor('first', store, id)).toMatchObject({ kind: 'consumed' })
  await redis.restart()
  expect(await answered(() => consumeFor('second', store, id))).toMatchObject({
    kind: 'refused',
    why: 'used',
  })
})
