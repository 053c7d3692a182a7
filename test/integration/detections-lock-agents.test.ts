import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { askLocks } from '../harness/locking.ts'
import { until } from '../harness/until.ts'

const DENIED = '/github/repos/zyx/payments-core/pulls/1'
const ALLOWED = '/github/repos/zyx/platform-infra/pulls/991'

let toolgate: TestGateway
beforeAll(async () => {
  toolgate = await startTestGateway({
    settings: {
      detections: {
        denials_repeated: { action: 'lock', threshold: 3 },
        production_attempted: { action: 'off' },
      },
    },
  })
})
afterAll(() => toolgate[Symbol.asyncDispose]())

async function detections(): Promise<unknown[]> {
  return (await toolgate.records()).filter(({ type }) => type === 'detection')
}

async function locksInForce(): Promise<readonly { readonly id: string; readonly scope: string }[]> {
  const { body } = await askLocks(toolgate.gateway, 'GET')
  return (body as { readonly locks: readonly { readonly id: string; readonly scope: string }[] }).locks
}

describe('an agent that policy denies again and again', () => {
  it('is left alone below the threshold, and locked with the denial that reaches it', async () => {
    for (let count = 0; count < 2; count++)
      expect((await toolgate.send('GET', DENIED)).code).toBe('policy.denied')
    expect(await toolgate.send('GET', ALLOWED)).toMatchObject({ status: 200 })
    expect(await detections()).toEqual([])
    expect((await toolgate.send('GET', DENIED)).code).toBe('policy.denied')
    await until(async () => (await locksInForce()).length === 1)
    expect(await toolgate.send('GET', ALLOWED)).toMatchObject({ status: 403, code: 'lock.engaged' })
  })

  it('is on record, in the log and in the metric, with what it may mean', async () => {
    await until(async () => (await detections()).length === 1)
    expect(await detections()).toMatchObject([{ rule: 'denials_repeated', count: 3 }])
    const lines = (await toolgate.logLines()).filter(({ event }) => event === 'detection.raised')
    expect(lines).toMatchObject([
      { rule: 'denials_repeated', agent: 'change-review-agent', next_step: expect.any(String) as unknown },
    ])
    expect(
      await toolgate.metric('toolgate_detections_total', { rule: 'denials_repeated', locked: 'true' }),
    ).toBe(1)
  })

  it('does not take others with it', async () => {
    const token = toolgate.token({ claims: { client_id: 'release-agent', sub: 'rui@zyx.example' } })
    expect((await toolgate.send('GET', ALLOWED, { token })).code).not.toBe('lock.engaged')
  })
})

describe('whoever proves nothing', () => {
  it('can have nobody locked, however often they try in the name of an agent', async () => {
    for (const { id } of await locksInForce()) {
      await askLocks(toolgate.gateway, 'DELETE', { id })
    }
    const others = toolgate.token({ jkt: 'A'.repeat(43) })
    for (let count = 0; count < 12; count++)
      expect((await toolgate.send('GET', DENIED, { token: others })).status).toBe(401)
    await until(async () => (await toolgate.logLines()).some(({ rule }) => rule === 'credential_errors'))
    expect(await locksInForce()).toEqual([])
  })
})
