import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { paymentsConnectors } from '../harness/payments-connector.ts'
import { startRedis, type RunningRedis } from '../harness/redis.ts'
import { startUpstream, type Upstream } from '../harness/upstream.ts'
import type { Answer } from '../harness/send.ts'

/** A hundred euros a day, fifty in a task; whoever pays from the account `held` waits for a person. */
const BUDGETS = `
decision := {"allow": count(reasons) == 0, "risk": 0, "reasons": reasons, "obligations": obligations}
reasons contains {"code": "agent.unknown", "rule": "R001", "detail": ""} if input.agent.id == ""
reasons contains {"code": "write.not_allowed", "rule": "R081", "detail": "day"} if {
  input.history.spend_day + input.resource.amount.value > 100
}
reasons contains {"code": "write.not_allowed", "rule": "R082", "detail": "task"} if {
  input.declared.task != ""
  input.history.spend_task + input.resource.amount.value > 50
}
obligations contains {"id": "R083", "type": "approval", "properties": {
  "groups": ["treasury"], "count": 1, "distinct": true, "ttl_seconds": 60,
  "escalation_group": "cfo", "escalate_after_seconds": 0,
}} if input.resource.account == "held"
`

interface World extends AsyncDisposable {
  readonly toolgate: TestGateway
  readonly upstream: Upstream
  pay(
    euros: number,
    more?: { readonly account?: string; readonly task?: string; readonly agent?: string },
  ): Promise<Answer>
}

let bundle: Buffer
beforeAll(async () => {
  bundle = await compileRules(BUDGETS)
})

async function startWorld(redisUrl?: string, onFailure?: 'open'): Promise<World> {
  await using stack = new AsyncDisposableStack()
  const upstream = stack.use(
    await startUpstream((request, response, body) => {
      const { account } =
        body.length > 0 ? (JSON.parse(String(body)) as { account: string }) : { account: '' }
      if (account === 'breaks') {
        request.socket.destroy()
        return
      }
      const status = { declined: 402, failing: 500, clashing: 409 }[account] ?? 201
      response.writeHead(status, { 'content-type': 'application/json' }).end('{"paid":true}')
    }),
  )
  const connectors = stack.use(await paymentsConnectors())
  const toolgate = stack.use(
    await startTestGateway({
      bundle,
      connectorsDirectory: connectors.path,
      ...(redisUrl !== undefined && { redisUrl }),
      settings: {
        connectors: {
          payments: {
            origin: upstream.origin,
            credential: { type: 'bearer', token: 'env:PAYMENTS' },
            allowAddresses: ['127.0.0.0/8'],
          },
        },
        breakers: { agent: { failures: 1_000 } },
        // Then facts stand in the entries themselves.
        audit: { disclosures: { enabled: false } },
        ...(onFailure && { store: { onFailure: { read: onFailure, write: onFailure } } }),
      },
      environment: { PAYMENTS: 'upstream-secret-payments' },
    }),
  )
  const owned = stack.move()
  return {
    toolgate,
    upstream,
    pay: (euros, { account = 'shop', task, agent = 'payer' } = {}) =>
      toolgate.send('POST', '/payments/v1/payments', {
        token: toolgate.token({ claims: { client_id: agent } }),
        headers: { 'content-type': 'application/json', ...(task !== undefined && { 'toolgate-task': task }) },
        body: JSON.stringify({ account, amount: Math.round(euros * 100), currency: 'EUR' }),
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

describe.each(['the embedded store', 'Redis'])('a budget of a day, with %s', (store) => {
  let redis: RunningRedis | undefined
  let world: World
  beforeAll(async () => {
    redis = store === 'Redis' ? await startRedis() : undefined
    world = await startWorld(redis?.url)
  })
  afterAll(async () => {
    await world[Symbol.asyncDispose]()
    await redis?.[Symbol.asyncDispose]()
  })
  let agents = 0
  const nextAgent = (): string => `payer-${store === 'Redis' ? 'r' : 'e'}-${(agents += 1)}`

  it('lets exactly ten of twenty payments at once pass that fit it, and sends no other', async () => {
    const agent = nextAgent()
    const before = world.upstream.requests.length
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.pay(10, { agent })))
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status === 201)).toHaveLength(10)
    expect(statuses.filter((status) => status === 403)).toHaveLength(10)
    expect(world.upstream.requests.length - before).toBe(10)
    expect((await world.pay(0.01, { agent })).status).toBe(403)
  })

  it('is not used up by payments that policy denied, or held for a person', async () => {
    const agent = nextAgent()
    for (const euros of [500, 100.01]) expect((await world.pay(euros, { agent })).code).toBe('policy.denied')
    expect((await world.pay(60, { agent, account: 'held' })).code).toBe('approval.required')
    expect((await world.pay(100, { agent })).status).toBe(201)
  })

  it('is given back what the upstream declined, and not what it may have paid', async () => {
    const agent = nextAgent()
    expect((await world.pay(100, { agent, account: 'declined' })).status).toBe(402)
    expect((await world.pay(30, { agent, account: 'failing' })).status).toBe(500)
    expect((await world.pay(30, { agent, account: 'clashing' })).status).toBe(409)
    expect((await world.pay(30, { agent, account: 'breaks' })).status).toBe(502)
    expect((await world.pay(10.01, { agent })).status).toBe(403)
    expect((await world.pay(10, { agent })).status).toBe(201)
  })

  it('is counted by agent, and by task where one is declared', async () => {
    const agent = nextAgent()
    expect((await world.pay(50, { agent, task: 'T-1' })).status).toBe(201)
    expect((await world.pay(1, { agent, task: 'T-1' })).status).toBe(403)
    expect((await world.pay(50, { agent, task: 'T-2' })).status).toBe(201)
    expect((await world.pay(1, { agent, task: 'T-3' })).status).toBe(403)
    expect((await world.pay(100, { agent: nextAgent() })).status).toBe(201)
  })

  it('leaves on record what policy was told of it', async () => {
    const agent = nextAgent()
    await world.pay(40, { agent, task: 'T-1' })
    const { callId } = await world.pay(99, { agent, task: 'T-1' })
    const [refused] = await world.toolgate.recordsOf(callId)
    expect(refused).toMatchObject({
      outcome: 'policy.denied',
      resource: { amount: 99, currency: 'EUR' },
      facts: { spend_day: 40, spend_task: 40 },
    })
  })
})

describe('calls that carry an amount', () => {
  it('are refused while sums cannot be counted, even where other writes need no store', async () => {
    const redis = await startRedis()
    await using world = await startWorld(redis.url, 'open')
    await redis[Symbol.asyncDispose]()
    const write = { headers: { 'content-type': 'application/json' }, body: '{"body":"x"}' }
    expect((await world.pay(1)).code).toBe('store.unavailable')
    const other = await world.toolgate.send('POST', '/jira/rest/api/3/issue/CHG-1/comment', write)
    expect(other.code).toBe('')
  })

  it('are refused where the amount cannot be read for sure', async () => {
    await using world = await startWorld()
    const answer = await world.toolgate.send('POST', '/payments/v1/payments', {
      headers: { 'content-type': 'application/json' },
      body: '{"account":"shop","amount":-1000,"currency":"EUR"}',
    })
    expect(answer).toMatchObject({ status: 403, code: 'policy.input_invalid' })
    expect(world.upstream.requests).toEqual([])
  })
})
