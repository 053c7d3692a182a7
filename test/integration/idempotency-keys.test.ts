import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { heldBy, startApprovedCalls } from '../harness/approved-calls.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { ALLOW_EVERYTHING } from '../harness/permissive-rules.ts'
import { signProof } from '../harness/proof.ts'
import { type RunningRedis, startRedis } from '../harness/redis.ts'
import type { Answer } from '../harness/send.ts'
import { startUpstream, type Upstream } from '../harness/upstream.ts'
import { until } from '../harness/until.ts'

/** What the upstream answers with is the number of the issue. */
const comments = (status: number): string => `/github/repos/zyx/platform-infra/issues/${status}/comments`
const SLOW = 1

let redis: RunningRedis
let upstream: Upstream
/** Two of one fleet. */
let here: TestGateway
let there: TestGateway
let release: (() => void) | undefined

beforeAll(async () => {
  redis = await startRedis()
  upstream = await startUpstream(({ url = '' }, response) => {
    const status = Number(/issues\/(\d+)/.exec(url)?.[1] ?? 200)
    const answer = (code: number): void =>
      void response.writeHead(code, { 'content-type': 'application/json' }).end('{}')
    if (status === SLOW) release = () => answer(201)
    else answer(status)
  })
  const bundle = await compileRules(ALLOW_EVERYTHING)
  const shared = { bundle, redisUrl: redis.url, upstream: upstream.origin }
  here = await startTestGateway(shared)
  const { issuer, config, jwksUri } = here.issuer
  there = await startTestGateway({
    ...shared,
    settings: {
      identity: { issuers: [{ issuer, audiences: config.audiences, jwks: { uri: jwksUri } }] },
    },
  })
})
afterAll(async () => {
  for (const part of [there, here, upstream, redis]) await part[Symbol.asyncDispose]()
})

/** One agent, at either gateway. */
function comment(text: string, key: string, at = here, status = 201): Promise<Answer> {
  const token = here.token()
  const target = comments(status)
  const proof = signProof({ key: here.key, method: 'POST', url: at.origin + target, token })
  const headers = { 'content-type': 'application/json', 'idempotency-key': key }
  return at.send('POST', target, { token, proof, headers, body: JSON.stringify({ body: text }) })
}

describe('an Idempotency-Key', () => {
  it('lets one call be made, in the whole fleet, and names it to whoever comes after', async () => {
    const before = upstream.requests.length
    const first = await comment('once', '"key-1"')
    expect(first.status).toBe(201)
    await until(async () => (await comment('once', '"key-1"', there)).code === 'idempotency.done')
    const again = await comment('once', 'key-1')
    expect(again).toMatchObject({ status: 409, code: 'idempotency.done', decision: 'deny' })
    expect(again.headers['toolgate-first-call-id']).toBe(first.callId)
    expect(upstream.requests).toHaveLength(before + 1)
  })

  it('goes to the upstream, too, as it was sent', async () => {
    await comment('passed on', '"key-2"')
    const headers = upstream.requests.at(-1)?.headers ?? []
    const at = headers.findIndex((name) => name.toLowerCase() === 'idempotency-key')
    expect(headers[at + 1]).toBe('"key-2"')
  })

  it('of a call that is under way is told to wait', async () => {
    const first = comment('slowly', 'key-3', here, SLOW)
    await until(() => release !== undefined)
    const second = await comment('slowly', 'key-3', there, SLOW)
    expect(second).toMatchObject({ status: 409, code: 'idempotency.in_flight' })
    expect(second.headers['retry-after']).toBe('1')
    release?.()
    expect((await first).status).toBe(201)
  })

  it('is not good for another call', async () => {
    await comment('this', 'key-4')
    expect(await comment('that', 'key-4', there)).toMatchObject({ status: 422, code: 'idempotency.mismatch' })
  })

  it('is free again where the upstream said no, or nothing was sent; and not where it may have acted', async () => {
    expect((await comment('no', 'key-5', here, 422)).status).toBe(422)
    await until(async () => (await comment('no', 'key-5', there, 422)).status === 422)
    expect((await comment('broken', 'key-6', here, 500)).status).toBe(500)
    await until(async () => (await comment('broken', 'key-6', there, 500)).code === 'idempotency.done')
  })

  it.each(['', 'a b', '"open', 'a,b', `"${'x'.repeat(300)}"`])('is one key, and not %j', async (key) => {
    expect((await comment('malformed', key)).code).toBe('request.malformed')
  })

  it('is nothing to a read', async () => {
    const send = () => here.send('GET', comments(200), { headers: { 'idempotency-key': 'a b' } })
    expect([(await send()).decision, (await send()).decision]).toEqual(['allow', 'allow'])
  })
})

describe('a call that waits for people', () => {
  it('gives its key back when it is refused for want of them, and is made with the same one', async () => {
    await using calls = await startApprovedCalls()
    const key = { 'idempotency-key': 'key-7' }
    const { id } = heldBy(await calls.comment({ headers: key }, 'approved'))
    await calls.approver.say('approve', id)
    const headers = { ...key, 'toolgate-approval': id }
    expect((await calls.comment({ headers }, 'approved')).status).toBe(201)
    expect((await calls.comment({ headers }, 'approved')).code).toBe('idempotency.done')
  })
})
