import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startGateway } from '../../gateway/compose.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { askLocks, OPERATOR, person, setLock } from '../harness/locking.ts'
import { until } from '../harness/until.ts'

const DANA = person('dana@zyx.example')
const ERIK = person('erik@zyx.example')

let toolgate: TestGateway
beforeAll(async () => {
  toolgate = await startTestGateway()
})
afterAll(() => toolgate[Symbol.asyncDispose]())

interface Listed {
  readonly state: string
  readonly epoch: number
  readonly locks: readonly { readonly id: string; readonly scope: string }[]
}

async function listed(): Promise<Listed> {
  return (await askLocks(toolgate.gateway, 'GET')).body as Listed
}

beforeEach(async () => {
  for (const { id } of (await listed()).locks) {
    for (const actor of [DANA, ERIK]) await askLocks(toolgate.gateway, 'DELETE', { id, actor })
  }
})

/** What the record says of one lock. */
async function recorded(id: string): Promise<unknown[]> {
  const entries = await toolgate.records()
  return entries.filter((entry) => entry.type === 'lock' && entry.lock === id)
}

describe('whoever sets a lock', () => {
  it('is answered with what is in force, and it is on record, in the log and in the metrics', async () => {
    const id = await setLock(toolgate.gateway, 'disabled_users:dana@zyx.example', {
      actor: ERIK,
      expiresInMs: 60_000,
    })
    const { state, epoch, locks } = await listed()
    expect(state).toBe('fresh')
    expect(locks).toMatchObject([
      { id, scope: 'principal:dana@zyx.example', writesOnly: false, author: { id: 'erik@zyx.example' } },
    ])
    expect(await recorded(id)).toMatchObject([
      {
        state: 'set',
        scope: 'principal:dana@zyx.example',
        reason: 'seen to run wild',
        by: { kind: 'person', id: 'erik@zyx.example', issuer: 'https://people.example', channel: 'admin' },
        lock_epoch: epoch,
        release: 'anyone',
        writes_only: false,
      },
    ])
    expect(await toolgate.metric('toolgate_locks', { scope: 'principal' })).toBe(1)
    expect(await toolgate.metric('toolgate_locks_state', { state: 'fresh' })).toBe(1)
    expect(await toolgate.metric('toolgate_lock_epoch')).toBe(epoch)
    expect(await toolgate.metric('toolgate_locks_news_age_seconds')).toBeLessThan(5)
    expect(toolgate.gateway.notes()).toMatchObject({ locked: '1 in force' })
    const lines = (await toolgate.logLines()).filter(({ event }) => event === 'lock.set')
    expect(lines.at(-1)).toMatchObject({ lock: id, actor: 'erik@zyx.example' })
  })

  it.each([
    [{ scope: 'planet:earth', reason: 'x' }, 'lock.scope_unknown'],
    [{ reason: 'x' }, 'lock.scope_unknown'],
    [{ scope: 'all' }, 'lock.invalid'],
    [{ scope: 'all', reason: ' ' }, 'lock.invalid'],
    [{ scope: 'all', reason: 'x'.repeat(513) }, 'lock.invalid'],
    [{ scope: 'all', reason: 'x', expires: '2h' }, 'lock.invalid'],
    [{ scope: 'all', reason: 'x', expiresInMs: 0 }, 'lock.invalid'],
    [{ scope: 'all', reason: 'x', expiresInMs: 1e15 }, 'lock.invalid'],
    [{ scope: 'all', reason: 'x', tokensBefore: '3000-01-01T00:00:00Z' }, 'lock.invalid'],
    [{ scope: 'all', reason: 'x', writesOnly: 'yes' }, 'lock.invalid'],
    [{ scope: 'all', reason: 'x', release: 'nobody' }, 'lock.invalid'],
    [[], 'lock.scope_unknown'],
    ['all', 'lock.invalid'],
    [undefined, 'lock.invalid'],
  ])('%j is told what a lock is', async (body, code) => {
    expect(await askLocks(toolgate.gateway, 'POST', { body })).toMatchObject({ status: 400, body: { code } })
    expect((await listed()).locks).toEqual([])
  })

  it('on an unknown scope is given the list of scopes', async () => {
    const { body } = await askLocks(toolgate.gateway, 'POST', { body: { scope: 'user:x', reason: 'x' } })
    expect(Object.keys((body as { scopes: object }).scopes)).toHaveLength(10)
    expect((body as { detail: string }).detail).toContain('principal:ID or principal:ISSUER#ID')
  })

  it.each(['connector:githb', 'operation:github.pulls/mrge'])(
    'on %s is warned that it stops nothing',
    async (scope) => {
      const { status, body } = await askLocks(toolgate.gateway, 'POST', { body: { scope, reason: 'x' } })
      expect(status).toBe(201)
      expect((body as { warnings: string[] }).warnings).toHaveLength(1)
      await setLock(toolgate.gateway, 'operation:github.pulls/merge')
    },
  )
})

describe('a lock that takes another person', () => {
  it('is not released by who set it, nor with the operators’ token; both requests are on record', async () => {
    const id = await setLock(toolgate.gateway, 'all', { actor: DANA, release: 'another-person' })
    for (const actor of [DANA, OPERATOR, DANA]) {
      const body = { reason: 'all is well' }
      expect(await askLocks(toolgate.gateway, 'DELETE', { id, actor, body })).toMatchObject({
        status: 403,
        body: { code: 'lock.another_person' },
      })
    }
    expect(await recorded(id)).toMatchObject([
      { state: 'set' },
      { state: 'release_requested', by: { kind: 'person', id: 'dana@zyx.example' }, reason: 'all is well' },
      { state: 'release_requested', by: { kind: 'operator' } },
    ])
    expect((await listed()).locks).toMatchObject([{ id, releaseRequests: [{}, {}] }])
    expect(await askLocks(toolgate.gateway, 'DELETE', { id, actor: ERIK })).toMatchObject({ status: 200 })
    expect((await recorded(id)).at(-1)).toMatchObject({ state: 'released', by: { id: 'erik@zyx.example' } })
    expect((await listed()).locks).toEqual([])
  })
})

it.each(['0199a1b2-0000-7000-8000-000000000000', 'nonsense', '../status'])(
  'no lock is called %s',
  async (id) => {
    expect(await askLocks(toolgate.gateway, 'DELETE', { id: encodeURIComponent(id) })).toMatchObject({
      status: 404,
    })
  },
)

it('a lock ends by itself when its time is over, and that is on record', async () => {
  const id = await setLock(toolgate.gateway, 'all', { expiresInMs: 300, release: 'another-person' })
  await until(async () => (await listed()).locks.length === 0)
  await until(async () => (await recorded(id)).length === 2)
  expect((await recorded(id)).at(-1)).toMatchObject({
    state: 'expired',
    by: { kind: 'gateway', part: 'expiry' },
  })
})

it('locks hold across a restart', async () => {
  await using first = await startTestGateway()
  const id = await setLock(first.gateway, 'writes', { actor: DANA, release: 'another-person' })
  await first.gateway[Symbol.asyncDispose]()
  await using second = await startGateway(first.loaded, { environment: first.fakes.environment, worker: 0 })
  const { body } = await askLocks(second, 'GET')
  expect(body).toMatchObject({ state: 'fresh', locks: [{ id, scope: 'writes', writesOnly: true }] })
})
