import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OutcomeEntry } from '../../gateway/audit/entry.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { paymentsConnectors } from '../harness/payments-connector.ts'
import type { Answer } from '../harness/send.ts'
import type { Upstream } from '../harness/upstream.ts'
import { REDACTED, SECRET, startCustomers } from './customers-upstream.ts'

/** What the answer owes is asked for by the task. */
const RULES = `
decision := {"allow": allow, "risk": 2, "reasons": reasons, "obligations": obligations}
default allow := false
allow if input.agent.id != ""
reasons contains {"code": "agent.unknown", "rule": "R001", "detail": ""} if not allow
obligations contains {"id": "R091", "type": "redact", "properties": {"pointers": ["/ssn", "/accounts/*/iban"]}} if {
  contains(input.declared.task, "redact")
}
obligations contains {"id": "R092", "type": "cap_bytes", "properties": {"max_bytes": 64}} if {
  contains(input.declared.task, "cap")
}
obligations contains {"id": "R093", "type": "notify", "properties": {"groups": ["soc", "privacy"]}} if {
  contains(input.declared.task, "notify")
}
`

let toolgate: TestGateway
let upstream: Upstream
const stack = new AsyncDisposableStack()

beforeAll(async () => {
  upstream = stack.use(await startCustomers())
  const connectors = stack.use(await paymentsConnectors())
  toolgate = stack.use(
    await startTestGateway({
      bundle: await compileRules(RULES),
      connectorsDirectory: connectors.path,
      settings: {
        connectors: {
          payments: {
            origin: upstream.origin,
            credential: { type: 'bearer', token: 'env:PAYMENTS' },
            allowAddresses: ['127.0.0.0/8'],
          },
        },
        breakers: { agent: { failures: 1_000 } },
      },
      environment: { PAYMENTS: 'upstream-secret-payments' },
    }),
  )
})
afterAll(() => stack.disposeAsync())

const ask = (
  id: string,
  task: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<Answer> =>
  toolgate.send(method, `/payments/v1/customers/${id}`, { headers: { 'toolgate-task': task, ...headers } })

async function outcomeOf(callId: string): Promise<OutcomeEntry> {
  const outcome = (await toolgate.recordsOf(callId)).find(({ type }) => type === 'outcome')
  if (outcome?.type !== 'outcome') throw new Error(`${callId} has no outcome`)
  return outcome
}

describe('an answer that policy wants redacted', () => {
  it.each(['json', 'pieces'])(
    'loses what the pointers name and keeps every other byte, however it comes: %s',
    async (id) => {
      const answer = await ask(id, 'redact')
      expect(answer).toMatchObject({ status: 200, text: REDACTED, decision: 'allow' })
      expect(answer.headers['content-length']).toBe(String(REDACTED.length))
      expect(await outcomeOf(answer.callId)).toMatchObject({
        outcome: 'allowed',
        obligations: ['R091'],
        redacted: 3,
        reply: { bytes: REDACTED.length },
      })
    },
  )

  it('says nothing of the bytes that the upstream sent, and can be asked for only whole and plain', async () => {
    const { headers } = await ask('json', 'redact', {
      'accept-encoding': 'gzip, br',
      range: 'bytes=0-30',
      'if-range': '"v1"',
    })
    for (const name of ['etag', 'content-digest', 'accept-ranges']) expect(headers).not.toHaveProperty(name)
    const seen = upstream.requests.at(-1)?.headers.map((part) => part.toLowerCase()) ?? []
    expect(seen[seen.indexOf('accept-encoding') + 1]).toBe('identity')
    expect(seen).not.toContain('range')
    expect(seen).not.toContain('if-range')
  })

  it.each([
    ['an error', 'missing', REDACTED],
    ['a member that is there twice', 'twice', '{"ssn":"[redacted]","ssn":"[redacted]"}'],
    ['a name in escapes', 'escaped', String.raw`{"s\u0073n":"[redacted]"}`],
  ])('is redacted in %s', async (_what, id, text) => {
    expect((await ask(id, 'redact')).text).toBe(text)
  })

  it.each([
    ['html'],
    ['untyped'],
    ['lines'],
    ['events'],
    ['gzip'],
    ['odd'],
    ['utf16'],
    ['utf7'],
    ['types'],
    ['part'],
    ['large'],
    ['broken'],
  ])('is withheld where it cannot be redacted: %s', async (id) => {
    const answer = await ask(id, 'redact')
    expect(answer).toMatchObject({ status: 403, code: 'policy.answer_withheld', decision: 'deny' })
    expect(answer.text).not.toContain(SECRET)
    const outcome = await outcomeOf(answer.callId)
    expect(outcome).toMatchObject({
      outcome: 'policy.answer_withheld',
      upstream: { status: id === 'part' ? 206 : 200 },
    })
    expect(outcome).not.toHaveProperty('obligations')
    expect(outcome.detail).not.toBe('')
  })

  it.each(['none', 'nobody', 'unchanged'])('passes where there is none: %s', async (id) => {
    const answer = await ask(id, 'redact')
    expect(answer).toMatchObject({ code: '', decision: 'allow', text: '' })
    expect(answer.headers).not.toHaveProperty('etag')
  })

  it('tells nothing of the hidden body in answer to HEAD', async () => {
    const answer = await ask('json', 'redact', {}, 'HEAD')
    expect(answer).toMatchObject({ status: 200, text: '' })
    for (const name of ['content-length', 'etag', 'content-digest'])
      expect(answer.headers).not.toHaveProperty(name)
  })

  it('is withheld after a write, which the agent is told not to send again and the record calls sent', async () => {
    const { requests } = upstream
    const before = requests.length
    const answer = await toolgate.send('POST', '/payments/v1/payments', {
      headers: { 'content-type': 'application/json', 'toolgate-task': 'redact' },
      body: '{"account":"a","amount":1,"currency":"EUR"}',
    })
    expect(requests).toHaveLength(before + 1)
    expect(answer.json()).toMatchObject({
      code: 'policy.answer_withheld',
      detail: expect.stringContaining('do not send it again') as string,
    })
    expect(await outcomeOf(answer.callId)).toMatchObject({ upstream: { status: 200 } })
    expect(await toolgate.metric('toolgate_spend_reservations_total', { end: 'kept' })).toBe(1)
  })
})

describe('an answer that policy bounds', () => {
  it('passes below the bound', async () => {
    const answer = await ask('small', 'cap')
    expect(answer).toMatchObject({ status: 200, text: '{"a":1}' })
    expect(await outcomeOf(answer.callId)).toMatchObject({ obligations: ['R092'] })
  })

  it.each(['json', 'gzip', 'odd'])(
    'is not begun where it is known to be larger, or its size is not known: %s',
    async (id) => {
      expect(await ask(id, 'cap')).toMatchObject({ status: 403, code: 'policy.answer_withheld' })
    },
  )

  it('is broken off where it grows larger, so that the agent cannot take it for whole, and on record as such', async () => {
    await expect(ask('growing', 'cap')).rejects.toThrow(/aborted|hang up|reset/i)
    await expect.poll(async () => (await lastOutcome())?.outcome).toBe('policy.answer_withheld')
    const outcome = await lastOutcome()
    expect(outcome).toMatchObject({ status: 200, upstream: { status: 200 } })
    expect(outcome?.reply?.bytes).toBeLessThanOrEqual(64)
    expect(outcome).not.toHaveProperty('obligations')
  })

  it('is measured after it was redacted, whatever the upstream announced', async () => {
    expect(await ask('twice', 'redact-cap')).toMatchObject({
      status: 200,
      text: '{"ssn":"[redacted]","ssn":"[redacted]"}',
    })
    expect(await ask('json', 'redact-cap')).toMatchObject({ code: 'policy.answer_withheld' })
  })

  const lastOutcome = async (): Promise<OutcomeEntry | undefined> =>
    (await toolgate.records()).findLast((entry): entry is OutcomeEntry => entry.type === 'outcome')
})

describe('people who are to be told', () => {
  it('are told once, on the log, in the metrics and on record', async () => {
    const before = await toolgate.metric('toolgate_obligations_total', { type: 'notify', result: 'met' })
    const { callId } = await ask('small', 'notify')
    await expect.poll(async () => (await noticesOf(callId)).length).toBe(1)
    expect((await noticesOf(callId))[0]).toMatchObject({
      obligation: 'R093',
      groups: 'privacy soc',
      agent: 'change-review-agent',
      principal: 'dana@zyx.example',
      operation: 'payments.getCustomer',
      reason: 'allowed',
    })
    expect(await toolgate.metric('toolgate_obligations_total', { type: 'notify', result: 'met' })).toBe(
      before + 1,
    )
    expect(await outcomeOf(callId)).toMatchObject({ obligations: ['R093'] })
  })

  const noticesOf = async (callId: string) =>
    (await toolgate.linesOf(callId)).filter((line) => line['event'] === 'policy.notice')
})
