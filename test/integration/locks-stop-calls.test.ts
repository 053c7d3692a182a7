import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { askLocks, setLock } from '../harness/locking.ts'
import { compileRules } from '../harness/opa.ts'
import { ALLOW_EVERYTHING } from '../harness/permissive-rules.ts'
import { startUpstream, type Upstream } from '../harness/upstream.ts'
import { until } from '../harness/until.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'
const COMMENT = '/github/repos/zyx/platform-infra/issues/991/comments'
const AGENT = 'change-review-agent'

let upstream: Upstream
let toolgate: TestGateway
beforeAll(async () => {
  upstream = await startUpstream((incoming, response) => {
    const wanted = incoming.headers['user-agent']
    if (wanted === 'hang') return
    const type = wanted === 'events' ? 'text/event-stream' : 'application/json'
    response.writeHead(200, { 'content-type': type })
    if (wanted === 'events') response.write('data: one\n\n')
    else if (wanted === 'large') response.end(Buffer.alloc(8 * 1_048_576, ' '))
    else response.end('{}')
  })
  toolgate = await startTestGateway({
    bundle: await compileRules(ALLOW_EVERYTHING),
    upstream: upstream.origin,
  })
})
afterAll(async () => {
  await toolgate[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})
afterEach(async () => {
  const { body } = await askLocks(toolgate.gateway, 'GET')
  for (const { id } of (body as { locks: { id: string }[] }).locks)
    await askLocks(toolgate.gateway, 'DELETE', { id })
})

function call(method: string, target: string, more: { agent?: string; as?: string } = {}) {
  const token = toolgate.token({ claims: { client_id: more.agent ?? AGENT } })
  const headers = { 'user-agent': more.as ?? 'answer', 'content-type': 'application/json' }
  return toolgate.send(method, target, { token, headers, ...(method === 'POST' && { body: '{"body":"x"}' }) })
}

/** A call whose answer is read by hand; the header section is there. */
async function streamed(as: string): Promise<IncomingMessage> {
  const token = toolgate.token()
  const sent = request(toolgate.origin + PULL, {
    headers: {
      authorization: `DPoP ${token}`,
      dpop: toolgate.proof('GET', PULL, { token }),
      'user-agent': as,
    },
  })
  sent.on('error', () => undefined).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return response.on('error', () => undefined)
}

describe('a lock on an agent', () => {
  it('refuses its calls, in words of the vendor, and nobody else’s', async () => {
    const id = await setLock(toolgate.gateway, `agent:${AGENT}`)
    const refused = await call('GET', PULL)
    expect(refused).toMatchObject({ status: 403, code: 'lock.engaged', decision: 'deny' })
    expect(refused.json()).not.toMatchObject({ message: expect.stringContaining('wild') as unknown })
    expect(await call('GET', PULL, { agent: 'another' })).toMatchObject({ status: 200 })
    const [outcome] = await toolgate.recordsOf(refused.callId)
    expect(outcome).toMatchObject({
      type: 'outcome',
      outcome: 'lock.engaged',
      detail: `lock ${id} on agent:${AGENT}: seen to run wild`,
    })
  })

  it('lets them through again once it is released', async () => {
    const id = await setLock(toolgate.gateway, `agent:${AGENT}`)
    expect(await askLocks(toolgate.gateway, 'DELETE', { id })).toMatchObject({ status: 200 })
    expect(await call('GET', PULL)).toMatchObject({ status: 200 })
  })

  it('that is for writes lets its reads through', async () => {
    await setLock(toolgate.gateway, `agent:${AGENT}`, { writesOnly: true })
    expect(await call('GET', PULL)).toMatchObject({ status: 200 })
    expect(await call('POST', COMMENT)).toMatchObject({ code: 'lock.engaged' })
  })

  it('that is for tokens before now stops those, and not the next one', async () => {
    await setLock(toolgate.gateway, `agent:${AGENT}`, { tokensBefore: 'now' })
    expect(await call('GET', PULL)).toMatchObject({ code: 'lock.engaged' })
    const token = toolgate.token({ nowMs: Date.now() + 2_000 })
    expect(await toolgate.send('GET', PULL, { token })).toMatchObject({ status: 200 })
  })
})

describe('a lock that comes into force', () => {
  it('ends a call that waits for its upstream, whose answer would have come too late', async () => {
    const waiting = call('POST', COMMENT, { as: 'hang' })
    await until(() => upstream.requests.some(({ headers }) => headers.includes('hang')))
    await setLock(toolgate.gateway, `agent:${AGENT}`)
    const answer = await waiting
    expect(answer).toMatchObject({ status: 403, code: 'lock.engaged' })
    await until(async () => (await toolgate.recordsOf(answer.callId)).length === 2)
    expect(await toolgate.recordsOf(answer.callId)).toMatchObject([
      { type: 'decision', lock_epoch: expect.any(Number) as number },
      { type: 'outcome', outcome: 'lock.engaged' },
    ])
  })

  it('cuts a stream of events that is open', async () => {
    const events = await streamed('events')
    await once(events, 'data')
    const cut = new Promise((resolve) => void events.once('close', resolve))
    await setLock(toolgate.gateway, `agent:${AGENT}`)
    await cut
    expect(events.complete).toBe(false)
    const callId = String(events.headers['toolgate-call-id'])
    await until(async () => (await toolgate.recordsOf(callId)).length === 2)
    expect((await toolgate.recordsOf(callId))[1]).toMatchObject({ outcome: 'lock.engaged', status: 200 })
  })

  it('cuts an answer that its upstream has sent whole and its caller reads slowly', async () => {
    const large = await streamed('large')
    large.pause()
    const callId = String(large.headers['toolgate-call-id'])
    await setLock(toolgate.gateway, `agent:${AGENT}`)
    await until(async () => (await toolgate.recordsOf(callId)).length === 2)
    expect((await toolgate.recordsOf(callId))[1]).toMatchObject({ outcome: 'lock.engaged' })
    large.destroy()
  })

  it('leaves calls of others as they are', async () => {
    const events = await streamed('events')
    await once(events, 'data')
    await setLock(toolgate.gateway, 'agent:another')
    expect(toolgate.gateway.status()).toMatchObject({ listen: { callsInFlight: 1 } })
    events.destroy()
    await until(async () => (await toolgate.metric('toolgate_calls_in_flight')) === 0)
  })
})
