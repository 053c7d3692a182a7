import { beforeAll, describe, expect, it, vi } from 'vitest'
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { type OpaCollector, startOpaCollector } from '../harness/opa-collector.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'

/** Allows, holds, denies, throws and talks nonsense, as the call declares. */
const RULES = `
decision := {"allow": true, "risk": 4, "reasons": [], "obligations": obligations} if {
	input.agent.id != ""
	not input.declared.task in {"deny", "conflict", "nonsense"}
}
decision := {"allow": false, "risk": 0, "reasons": [reason], "obligations": []} if input.declared.task == "deny"
decision := {"allow": true} if input.declared.task in {"conflict", "nonsense"}
decision := {"allow": false} if input.declared.task == "conflict"
decision := {"allow": false, "risk": 0, "reasons": [], "obligations": []} if input.agent.id == ""
reason := {"code": "hours.closed", "rule": "R043", "detail": ""}
obligations contains {"id": "a", "type": "approval", "properties": {
	"groups": ["g"], "count": 1, "distinct": true, "ttl_seconds": 60,
	"escalation_group": "h", "escalate_after_seconds": 30,
}} if input.declared.task == "hold"
`
let rules: Buffer
beforeAll(async () => {
  rules = await compileRules(RULES, { revision: 'rev-1' })
})

function startLogging(
  collector: Pick<OpaCollector, 'url'>,
  decisionLog: object = {},
  options: TestGatewayOptions = {},
): Promise<TestGateway> {
  return startTestGateway({
    bundle: rules,
    ...options,
    settings: {
      policy: {
        labels: { region: 'eu-central' },
        decisionLog: {
          service: { url: collector.url },
          minDelayMs: 100,
          maxDelayMs: 100,
          ...decisionLog,
        },
      },
    },
  })
}

const as = (task: string) => ({ headers: { 'toolgate-task': task, traceparent: TRACEPARENT } })
const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const soon = { timeout: 8_000, interval: 10 }

describe('the decision log of a gateway', () => {
  it('has every decision, by the id of its call, with fields that OPA has', async () => {
    await using collector = await startOpaCollector()
    await using toolgate = await startLogging(collector, { requestHeaders: ['User-Agent'] })
    const effects = { allow: 'allow', deny: 'deny', hold: 'hold', conflict: 'deny', nonsense: 'deny' }
    const ids: Record<string, string> = {}
    for (const task of Object.keys(effects)) {
      const answer = await toolgate.send('GET', PULL, as(task))
      ids[task] = String(answer.headers['toolgate-call-id'])
    }
    await collector.until(() => collector.events.length === 5)
    expect(collector.problems).toEqual([])
    const eventOf = (task: string) => collector.events.find((event) => event['decision_id'] === ids[task])
    for (const [task, effect] of Object.entries(effects)) {
      expect(eventOf(task)).toMatchObject({ custom: { toolgate: { effect } }, input: { declared: { task } } })
    }
    expect(eventOf('allow')).toMatchObject({
      labels: { region: 'eu-central', version: expect.any(String) as unknown },
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
      bundles: { policy: { revision: 'rev-1' } },
      path: 'gateway/decision/decision',
      input: { operation: { id: 'github.pulls/get' } },
      result: { allow: true, risk: 4, reasons: [], obligations: [] },
      requested_by: '127.0.0.1',
      request_context: { http: { headers: { 'User-Agent': ['toolgate-test'] } } },
    })
    expect(eventOf('deny')).toMatchObject({ rule_labels: [{ id: 'R043', code: 'hours.closed' }] })
    expect(eventOf('conflict')).toMatchObject({ error: { code: 'policy.error' } })
    expect(eventOf('nonsense')).toMatchObject({ error: { code: 'policy.invalid' } })
    const { metrics } = eventOf('allow') as { metrics: Record<string, number> }
    expect(metrics['timer_server_handler_ns']).toBeGreaterThan(
      metrics['timer_rego_query_eval_ns'] ?? Infinity,
    )
  })

  it('never has a token, a proof or a credential of an upstream', async () => {
    await using collector = await startOpaCollector()
    await using toolgate = await startLogging(collector)
    const token = toolgate.token()
    const proof = toolgate.proof('GET', PULL, { token })
    await toolgate.send('GET', PULL, { token, proof })
    await collector.until(() => collector.events.length === 1)
    const text = JSON.stringify(collector.events)
    for (const secret of [token, proof, ...Object.values(toolgate.fakes.environment)])
      expect(text).not.toContain(secret)
  })

  it('keeps no call waiting for its collector', async () => {
    await using collector = await startOpaCollector()
    collector.answerWith(() => undefined)
    await using toolgate = await startLogging(collector, { service: { url: collector.url, timeoutMs: 200 } })
    for (let call = 0; call < 3; call += 1) expect((await toolgate.send('GET', PULL)).status).toBe(200)
    await vi.waitFor(
      async () => expect(await toolgate.metric('toolgate_decision_log_buffer_events')).toBe(3),
      soon,
    )
    await vi.waitFor(
      async () => expect(await toolgate.metric('toolgate_decision_log_lag_seconds')).toBeGreaterThan(0.2),
      soon,
    )
    await vi.waitFor(
      async () =>
        expect(
          await toolgate.metric('toolgate_decision_log_uploads_total', { result: 'failure' }),
        ).toBeGreaterThan(0),
      soon,
    )
    collector.answerWith(undefined)
    await collector.until(() => collector.events.length === 3)
    await vi.waitFor(
      async () => expect(await toolgate.metric('toolgate_decision_log_uploaded_total')).toBe(3),
      soon,
    )
  })

  it.each(['deny', 'block'])(
    'that is full and may lose nothing (%s) refuses calls, and says why',
    async (onFull) => {
      await using collector = await startOpaCollector()
      collector.answerWith((_, response) => response.writeHead(500).end())
      const buffer = { onFull, limitEvents: 1, blockTimeoutMs: 50 }
      await using toolgate = await startLogging(collector, { buffer, minDelayMs: 100, maxDelayMs: 60_000 })
      expect((await toolgate.send('GET', PULL)).status).toBe(200)
      const refused = await toolgate.send('GET', PULL)
      expect(refused).toMatchObject({ status: 503, code: 'audit.unavailable' })
      expect(refused.headers['retry-after']).toBe('1')
      const [line] = await toolgate.linesOf(String(refused.headers['toolgate-call-id']))
      expect(line).toMatchObject({ detail: 'the decision log is full' })
      collector.answerWith(undefined)
      await vi.waitFor(async () => expect((await toolgate.send('GET', PULL)).status).toBe(200), soon)
    },
  )

  it('is not changed by a reload', async () => {
    await using collector = await startOpaCollector()
    await using toolgate = await startLogging(collector)
    await toolgate.gateway.reload(() => toolgate.loaded)
    expect(await toolgate.metric('toolgate_config_last_reload_successful')).toBe(1)
    const { policy } = toolgate.loaded
    await toolgate.gateway.reload(() => ({
      ...toolgate.loaded,
      policy: { ...policy, decisionLog: undefined },
    }))
    expect(await toolgate.metric('toolgate_config_last_reload_successful')).toBe(0)
    await toolgate.send('GET', PULL)
    await collector.until(() => collector.events.length === 1)
  })
})
