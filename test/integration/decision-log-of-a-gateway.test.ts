import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { compileBundle } from '../../gateway/policy/authoring/compile.ts'
import { POLICIES_DIRECTORY } from '../../gateway/policy/authoring/policies-directory.ts'
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
const LOG_RULES = `package system.log

# METADATA
# entrypoint: true
drop := input.input.declared.task == "gone"

# METADATA
# entrypoint: true
mask := {"/input/agent"}

mask := {"/input/tenant"} if input.input.declared.task == "broken"
`
const COMMITTED = await readFile(join(POLICIES_DIRECTORY, 'bundle.tar.gz'))
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

  it('has nothing that a caller wrote freely, by the mask of the committed policy', async () => {
    await using collector = await startOpaCollector()
    await using toolgate = await startLogging(collector, {}, { bundle: COMMITTED })
    const headers = {
      'toolgate-task': 'hunter2',
      'toolgate-ticket': 'hunter2',
      'toolgate-rationale': 'hunter2',
    }
    await toolgate.send('GET', PULL, { headers })
    await toolgate.send('GET', '/github/repos/hunter2/hunter2/pulls/991?per_page=hunter2', { headers })
    const body = JSON.stringify({ body: 'hunter2', hunter2: 'hunter2' })
    const json = { ...headers, 'content-type': 'application/json' }
    await toolgate.send('POST', '/github/repos/zyx/platform-infra/issues/991/comments', {
      body,
      headers: json,
    })
    await collector.until(() => collector.events.length === 3)
    expect(JSON.stringify(collector.events)).not.toContain('hunter2')
    const erased = ['/input/authorization_details', '/input/declared', '/input/params']
    expect(collector.events[0]).toMatchObject({
      erased,
      input: { resource: { repository: 'zyx/platform-infra' }, principal: { id: 'dana@zyx.example' } },
      custom: { toolgate: { effect: 'allow' } },
    })
    expect(collector.events[1]).toMatchObject({
      erased,
      masked: ['/input/resource/account', '/input/resource/repository'],
      input: { resource: { repository: '***' } },
      custom: { toolgate: { effect: 'deny' } },
    })
  })

  it('has what a mask that fails leaves, and lacks what a drop rule names', async () => {
    await using collector = await startOpaCollector()
    const sources = new Map([
      ['gateway/decision.rego', `package gateway.decision\n# METADATA\n# entrypoint: true\n${RULES}`],
      ['system/log/log.rego', LOG_RULES],
    ])
    const bundle = await compileBundle({ sources, roots: ['gateway', 'system'] })
    await using toolgate = await startLogging(collector, {}, { bundle })
    for (const task of ['gone', 'broken', 'kept']) await toolgate.send('GET', PULL, as(task))
    await collector.until(() => collector.events.length === 2)
    expect(collector.events[0]).toMatchObject({
      result: { allow: true, risk: 4 },
      custom: { toolgate: { mask_failed: true } },
    })
    expect(collector.events[0]).not.toHaveProperty('input')
    expect(collector.events[1]).toMatchObject({
      input: { declared: { task: 'kept' } },
      erased: ['/input/agent'],
    })
    expect(await toolgate.metric('toolgate_decision_log_dropped_total', { reason: 'rule' })).toBe(1)
    const failures = { entrypoint: 'system/log/mask' }
    expect(await toolgate.metric('toolgate_decision_log_rule_failures_total', failures)).toBe(1)
    const lines = await toolgate.logLines()
    expect(lines).toContainEqual(expect.objectContaining({ event: 'decision_log.rule_failed' }))
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
