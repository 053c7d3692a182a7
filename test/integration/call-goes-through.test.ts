import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'

let toolgate: TestGateway
beforeAll(async () => {
  toolgate = await startTestGateway()
})
afterAll(() => toolgate[Symbol.asyncDispose]())

const PULL = '/github/repos/zyx/platform-infra/pulls/991'

describe('a call that policy allows', () => {
  it('is answered by the upstream, with the decision and the call id', async () => {
    const answer = await toolgate.send('GET', PULL)
    expect(answer.status).toBe(200)
    expect(answer.decision).toBe('allow')
    expect(answer.callId).toMatch(/^[0-9a-f-]{36}$/)
    expect(answer.json()).toMatchObject({ number: 991 })
  })

  it('carries the credential of the gateway and nothing of the agent', async () => {
    await toolgate.send('GET', PULL, { headers: { 'toolgate-task': 'task-1', cookie: 'session=1' } })
    const seen = toolgate.fakes.github.requests.at(-1)
    expect(seen?.leaks).toEqual([])
    expect(seen?.rawHeaders).toContain('Bearer upstream-secret-github')
  })

  it('leaves an intent and an outcome on record, a log line and a metric', async () => {
    const before = await toolgate.metric('toolgate_calls_total', { connector: 'github', reason: 'allowed' })
    const { callId } = await toolgate.send('GET', PULL)
    expect((await toolgate.recordsOf(callId)).map(({ type }) => type)).toEqual(['decision', 'outcome'])
    await expect
      .poll(async () => (await toolgate.logLines()).filter((line) => line['call_id'] === callId))
      .toHaveLength(1)
    expect(await toolgate.metric('toolgate_calls_total', { connector: 'github', reason: 'allowed' })).toBe(
      before + 1,
    )
  })
})

describe('a call that policy denies', () => {
  it('never reaches the upstream, and says why', async () => {
    const before = toolgate.fakes.github.requests.length
    const answer = await toolgate.send('PUT', `${PULL}/merge`, {
      body: '{}',
      headers: { 'content-type': 'application/json' },
    })
    expect(answer).toMatchObject({ status: 403, decision: 'deny', code: 'policy.denied' })
    expect(toolgate.fakes.github.requests).toHaveLength(before)
    expect((await toolgate.recordsOf(answer.callId)).map(({ type }) => type)).toEqual(['outcome'])
  })
})

describe('a proof that was used before', () => {
  it('is refused the second time', async () => {
    const token = toolgate.token()
    const proof = toolgate.proof('GET', PULL, { token })
    expect((await toolgate.send('GET', PULL, { token, proof })).status).toBe(200)
    expect(await toolgate.send('GET', PULL, { token, proof })).toMatchObject({
      status: 401,
      code: 'identity.proof_replayed',
    })
  })
})
