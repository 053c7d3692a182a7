import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { APPROVAL_RULES } from '../harness/approval-rules.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { askLocks, setLock } from '../harness/locking.ts'
import { compileRules } from '../harness/opa.ts'
import { type RunningRedis, startRedis, startRedisSentinel } from '../harness/redis.ts'
import { reportP99 } from '../harness/report-p99.ts'
import { startUpstream, type Upstream } from '../harness/upstream.ts'
import { until } from '../harness/until.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'
const COMMENT = '/github/repos/zyx/platform-infra/issues/991/comments'
const TRIALS = 500
/** Three calls have to be on their way before each trial. */
const IN_FLIGHT_TIMEOUT_MS = 240_000
const STALE_AFTER_MS = 1_000

let bundle: Buffer
let upstream: Upstream
let redis: RunningRedis
beforeAll(async () => {
  bundle = await compileRules(APPROVAL_RULES)
  redis = await startRedis()
  upstream = await startUpstream((incoming, response) => {
    if (incoming.headers['user-agent'] === 'hang') return
    const isStream = incoming.headers['user-agent'] === 'events'
    response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' })
    if (isStream) response.write('data: one\n\n')
    else response.end('{}')
  })
})
afterAll(async () => {
  await redis[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})

function start(settings: Readonly<Record<string, unknown>> = {}): Promise<TestGateway> {
  const store = { redis: { keyPrefix: 'locks:' } }
  return startTestGateway({
    bundle,
    upstream: upstream.origin,
    redisUrl: redis.url,
    settings: { store, ...settings },
  })
}

const tokenOf = (toolgate: TestGateway, agent: string): string =>
  toolgate.token({ claims: { client_id: agent } })

function read(toolgate: TestGateway, agent = 'change-review-agent') {
  return toolgate.send('GET', PULL, { token: tokenOf(toolgate, agent) })
}

interface Written {
  readonly agent?: string
  /** What the upstream makes of it. */
  readonly as?: 'answer' | 'hang'
  readonly headers?: Readonly<Record<string, string>>
}

/** Nobody has to approve it unless its task says so. */
function write(
  toolgate: TestGateway,
  { agent = 'change-review-agent', as = 'answer', headers = {} }: Written = {},
) {
  const sent = {
    'user-agent': as,
    'content-type': 'application/json',
    'toolgate-task': 'people-0',
    ...headers,
  }
  return toolgate.send('POST', COMMENT, {
    token: tokenOf(toolgate, agent),
    headers: sent,
    body: '{"body":"x"}',
  })
}

/** A call that goes on until something ends it. */
interface InFlight {
  /** Settles once it has ended by a lock. */
  readonly ended: Promise<unknown>
}

async function openEvents(toolgate: TestGateway, agent: string): Promise<InFlight> {
  const token = tokenOf(toolgate, agent)
  const proof = toolgate.proof('GET', PULL, { token })
  const headers = { authorization: `DPoP ${token}`, dpop: proof, 'user-agent': 'events' }
  const sent = request(toolgate.origin + PULL, { headers })
  sent.on('error', () => undefined).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  response.on('error', () => undefined)
  await once(response, 'data')
  return { ended: new Promise((resolve) => void response.once('close', resolve)) }
}

async function waitForUpstream(toolgate: TestGateway, agent: string): Promise<InFlight> {
  const seen = upstream.requests.length
  const ended = lockedBy(write(toolgate, { agent, as: 'hang' }))
  await until(() => upstream.requests.length > seen)
  return { ended }
}

async function waitForPeople(toolgate: TestGateway, agent: string): Promise<InFlight> {
  const headers = { prefer: 'wait=30', 'toolgate-task': 'people-1' }
  const ended = lockedBy(write(toolgate, { agent, headers }))
  await until(async () => (await toolgate.metric('toolgate_calls_held')) === 1)
  return { ended }
}

async function lockedBy(answer: ReturnType<typeof write>): Promise<void> {
  expect(await answer).toMatchObject({ status: 403, code: 'lock.engaged' })
}

describe('a lock that is set at one of two gateways', () => {
  it('refuses at both within a second, at p99 of 500 trials', async () => {
    await using one = await start()
    await using other = await start()
    const elapsedMs: number[] = []
    for (let trial = 0; trial < TRIALS; trial += 1) {
      const agent = `runaway-${String(trial)}`
      expect((await read(other, agent)).status).toBe(200)
      const startedMs = performance.now()
      const setting = setLock(one.gateway, `agent:${agent}`)
      while ((await read(other, agent)).code !== 'lock.engaged');
      elapsedMs.push(performance.now() - startedMs)
      const id = await setting
      expect(await read(one, agent)).toMatchObject({ code: 'lock.engaged' })
      await askLocks(one.gateway, 'DELETE', { id })
    }
    expect(reportP99('from lock to refusal elsewhere', elapsedMs)).toBeLessThan(1_000)
  })

  it(
    'ends what is in flight at the other one within a second, at p99 of 500 trials',
    async () => {
      await using one = await start()
      await using other = await start()
      const elapsedMs = new Map<string, number[]>()
      for (let trial = 0; trial < TRIALS; trial += 1) {
        const agent = `in-flight-${String(trial)}`
        const inFlight = {
          'an open stream': await openEvents(other, agent),
          'a call that waits for its upstream': await waitForUpstream(other, agent),
          'a call that is held for people': await waitForPeople(other, agent),
        }
        const startedMs = performance.now()
        const setting = setLock(one.gateway, `agent:${agent}`)
        for (const [what, { ended }] of Object.entries(inFlight)) {
          await ended
          elapsedMs.set(what, [...(elapsedMs.get(what) ?? []), performance.now() - startedMs])
        }
        await askLocks(one.gateway, 'DELETE', { id: await setting })
      }
      for (const [what, each] of elapsedMs)
        expect(reportP99(`from lock to the end of ${what} elsewhere`, each)).toBeLessThan(1_000)
    },
    IN_FLIGHT_TIMEOUT_MS,
  )
})

describe('a gateway that does not hear of its locks', () => {
  const locks = { staleAfterMs: STALE_AFTER_MS }
  const limits = { store: { onFailure: { read: 'open', write: 'open' }, redis: { keyPrefix: 'locks:' } } }

  it('refuses writes after the time it was given, and lets reads go on under the locks that it knows', async () => {
    await using toolgate = await start({ locks, ...limits })
    const id = await setLock(toolgate.gateway, 'agent:known')
    expect(await write(toolgate)).toMatchObject({ status: 200 })
    redis.pause()
    const pausedMs = performance.now()
    await until(async () => (await write(toolgate)).code === 'lock.unknown')
    expect(performance.now() - pausedMs).toBeGreaterThan(STALE_AFTER_MS / 2)
    expect(await read(toolgate)).toMatchObject({ status: 200 })
    expect(await read(toolgate, 'known')).toMatchObject({ code: 'lock.engaged' })
    expect(toolgate.gateway.readiness()).toEqual({})
    expect(toolgate.gateway.notes()).toMatchObject({ locks: expect.stringContaining('writes') as unknown })
    expect(await toolgate.metric('toolgate_locks_state', { state: 'stale' })).toBe(1)
    redis.resume()
    await until(async () => (await write(toolgate)).status === 200)
    await askLocks(toolgate.gateway, 'DELETE', { id })
  })

  it('refuses reads, too, and is not ready, where it is told to', async () => {
    await using toolgate = await start({ locks: { ...locks, onStale: { read: 'refuse' } }, ...limits })
    redis.pause()
    await until(async () => (await read(toolgate)).code === 'lock.unknown')
    expect(toolgate.gateway.readiness()).toMatchObject({ locks: 'the store of the locks is not heard of' })
    redis.resume()
    await until(async () => (await read(toolgate)).status === 200)
  })

  it('refuses everything and is not ready while it has never heard of them', async () => {
    await redis.kill()
    await using toolgate = await start({ locks, ...limits })
    expect(await read(toolgate)).toMatchObject({ status: 503, code: 'lock.unknown' })
    expect(toolgate.gateway.readiness()).toMatchObject({ locks: 'the locks in force are not known yet' })
    await redis.restart()
    await until(async () => (await read(toolgate)).status === 200)
    expect(toolgate.gateway.readiness()).toEqual({})
  })
})

describe('a lock outlives', () => {
  it('a Redis that restarts with nothing, and says so on record', async () => {
    await using toolgate = await start()
    const id = await setLock(toolgate.gateway, 'agent:kept')
    await redis.kill()
    await redis.restart()
    await until(async () => (await redis.admin.hexists('locks:{control}:locks', id)) === 1)
    await until(async () =>
      (await toolgate.records()).some((entry) => entry.type === 'lock' && entry.state === 'restored'),
    )
    await using later = await start()
    expect(await read(later, 'kept')).toMatchObject({ code: 'lock.engaged' })
  })

  it('the failover to a replica, which had it before it counted as kept', async () => {
    await using sentinel = await startRedisSentinel()
    const store = {
      kind: 'redis',
      redis: {
        url: sentinel.primary.url,
        sentinels: sentinel.sentinels,
        sentinelName: sentinel.name,
        replicas: 1,
        timeoutMs: 1_000,
      },
    }
    await using toolgate = await startTestGateway({ bundle, upstream: upstream.origin, settings: { store } })
    const asked = { body: { scope: 'agent:kept', reason: 'test' } }
    const answer = await askLocks(toolgate.gateway, 'POST', asked)
    expect(answer).toMatchObject({ status: 201, body: { shared: true, witnessed: true, warnings: [] } })
    await sentinel.primary.kill()
    await sentinel.promoted()
    await using later = await startTestGateway({ bundle, upstream: upstream.origin, settings: { store } })
    await until(async () => (await read(later, 'kept')).code === 'lock.engaged')
    await until(async () => (await write(toolgate)).status === 200)
    expect(await read(toolgate, 'kept')).toMatchObject({ code: 'lock.engaged' })
  })
})
