import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isSigned } from '../../gateway/lib/standard-webhook.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { askLocks, setLock } from '../harness/locking.ts'
import { type NotifyReceiver, startNotifyReceiver, type ReceivedNotice } from '../harness/notify-receiver.ts'
import { compileRules } from '../harness/opa.ts'
import { until } from '../harness/until.ts'

const RULES = `
decision := {"allow": allow, "risk": 2, "reasons": reasons, "obligations": obligations}
default allow := false
allow if input.agent.id != ""
reasons contains {"code": "agent.unknown", "rule": "R001", "detail": ""} if not allow
obligations contains {"id": "R093", "type": "notify", "properties": {"groups": ["soc"]}} if {
  input.declared.task == "soc"
}
obligations contains {"id": "R094", "type": "notify", "properties": {"groups": ["nobody"]}} if {
  input.declared.task == "nobody"
}
`
const SECRETS = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'the next one, plain']
const ALLOWED = ['127.0.0.0/8']

let toolgate: TestGateway
let chat: NotifyReceiver
let duty: NotifyReceiver
let failures = 0

beforeAll(async () => {
  chat = await startNotifyReceiver(() => (failures-- > 0 ? 503 : 200))
  duty = await startNotifyReceiver()
  toolgate = await startTestGateway({
    bundle: await compileRules(RULES),
    environment: {
      CHAT: SECRETS[0] ?? '',
      CHAT_NEXT: SECRETS[1] ?? '',
      CHAT_TOKEN: 'opensesame',
      PD: 'R0KEY',
    },
    settings: {
      notify: {
        targets: {
          chat: {
            groups: ['soc'],
            webhook: {
              url: `${chat.url}/hooks/soc`,
              allowAddresses: ALLOWED,
              token: 'env:CHAT_TOKEN',
              signingSecrets: ['env:CHAT', 'env:CHAT_NEXT'],
            },
          },
          duty: {
            groups: ['soc'],
            pagerduty: { url: `${duty.url}/v2/enqueue`, allowAddresses: ALLOWED, routingKey: 'env:PD' },
          },
          // The address is not allowed, so nothing must ever arrive.
          guarded: { groups: ['soc'], webhook: { url: `https://127.0.0.1:${new URL(chat.url).port}` } },
        },
      },
    },
  })
})
afterAll(async () => {
  await toolgate[Symbol.asyncDispose]()
  await chat[Symbol.asyncDispose]()
  await duty[Symbol.asyncDispose]()
})

const call = (task: string) =>
  toolgate.send('GET', '/github/repos/zyx/payments-core', { headers: { 'toolgate-task': task } })

const about = ({ received }: NotifyReceiver, callId: string): readonly ReceivedNotice[] =>
  received.filter(({ text }) => text.includes(callId))

describe('what policy wants told of a call', () => {
  it('reaches a webhook, signed with both secrets, and PagerDuty', async () => {
    const { callId } = await call('soc')
    await until(() => about(chat, callId).length === 1 && about(duty, callId).length === 1)
    const [message] = about(chat, callId)
    expect(message).toMatchObject({
      path: '/hooks/soc',
      headers: { authorization: 'Bearer opensesame', 'webhook-id': `policy.notice:${callId}:R093` },
      body: {
        type: 'policy.notice',
        deployment: 'toolgate',
        data: {
          agent: 'change-review-agent',
          operation: 'github.repos/get',
          outcome: 'allowed',
          groups: ['soc'],
        },
      },
    })
    const {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signature,
    } = message?.headers ?? {}
    const signed = { id: String(id), timestamp: Number(timestamp), body: Buffer.from(message?.text ?? '') }
    for (const secret of SECRETS) expect(isSigned(signed, String(signature), [secret])).toBe(true)
    expect(about(duty, callId)[0]).toMatchObject({
      path: '/v2/enqueue',
      body: {
        routing_key: 'R0KEY',
        event_action: 'trigger',
        payload: { severity: 'info', source: 'toolgate' },
      },
    })
  })

  it('is sent again under the same id until it is taken, while the call is long over', async () => {
    failures = 2
    const { callId, status } = await call('soc')
    expect(status).toBe(200)
    await until(() => about(chat, callId).length === 3)
    const ids = about(chat, callId).map(({ headers }) => headers['webhook-id'])
    expect(new Set(ids).size).toBe(1)
    await until(
      async () => (await toolgate.metric('toolgate_notify_failures_total', { target: 'chat' })) === 2,
    )
  })

  it('goes to no address that the target does not name', async () => {
    await until(
      async () => (await toolgate.metric('toolgate_notify_failures_total', { target: 'guarded' })) > 0,
    )
    const lines = await toolgate.logLines()
    const failed = lines.find(({ event, target }) => event === 'notify.failed' && target === 'guarded')
    expect(failed?.['cause']).toContain('TOOLGATE_ADDRESS_DENIED')
    expect(await toolgate.metric('toolgate_notify_queue_events', { target: 'guarded' })).toBeGreaterThan(0)
  })

  it('is counted and logged where no target takes it', async () => {
    const { callId } = await call('nobody')
    await until(
      async () => (await toolgate.metric('toolgate_notify_untold_total', { event: 'policy.notice' })) === 1,
    )
    const untold = (await toolgate.logLines()).filter(({ event }) => event === 'notify.untold')
    expect(untold).toMatchObject([{ notice: `policy.notice:${callId}:R094` }])
  })

  it('leaves no secret in the log', async () => {
    const lines = JSON.stringify(await toolgate.logLines())
    for (const secret of [...SECRETS, 'opensesame', 'R0KEY']) expect(lines).not.toContain(secret)
  })
})

describe('a lock', () => {
  it('reaches PagerDuty as an alert, which its release resolves, and a webhook as both', async () => {
    const id = await setLock(toolgate.gateway, 'task:nothing', { reason: 'its token leaked' })
    await askLocks(toolgate.gateway, 'DELETE', { id, body: { reason: 'it has a new one' } })
    await until(() => about(duty, id).length === 2 && about(chat, id).length === 2)
    const key = { routing_key: 'R0KEY', dedup_key: `toolgate:toolgate:lock:${id}` }
    const summary = 'Lock on task:nothing set by operator: its token leaked'
    const details = { id, scope: 'task:nothing', reason: 'its token leaked', by: 'operator' }
    expect(about(duty, id).map(({ body }) => body)).toMatchObject([
      {
        ...key,
        event_action: 'trigger',
        payload: { summary, severity: 'error', class: 'lock.set', custom_details: details },
      },
      { ...key, event_action: 'resolve' },
    ])
    expect(about(chat, id).map(({ body }) => body)).toMatchObject([
      { type: 'lock.set', data: { id, reason: 'its token leaked' } },
      { type: 'lock.released', data: { id, reason: 'it has a new one' } },
    ])
  })
})
