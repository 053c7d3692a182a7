import { beforeAll, describe, expect, it } from 'vitest'
import { decisionEvent } from '../../gateway/policy/decision-log/event.ts'
import { applyMask, parseMask } from '../../gateway/policy/decision-log/mask.ts'
import { statusReport } from '../../gateway/policy/status-reports/status-report.ts'
import { refuse } from '../../gateway/refusal.ts'
import { startBundleServer } from '../harness/bundle-server.ts'
import { type OpaCollector, startOpaCollector } from '../harness/opa-collector.ts'
import { startOpaServer } from '../harness/opa-server.ts'
import { FRIEND, FRIEND_RULES } from '../harness/opa.ts'
import { bundleOf } from '../harness/signed-bundle.ts'
import { aDecision } from '../unit/policy/decision-log/an-event.ts'

type Json = Readonly<Record<string, unknown>>

const LABELS = { region: 'eu', id: '0a9e3f0e-5a55-4b55-8bd5-0f7d3f5f3a10', version: '1' }
const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const MASK = `package system.log

mask contains "/input/declared"

mask contains {"op": "upsert", "path": "/input/tenant", "value": "***"}
`
const CONFLICT = `package conflict

result := 1 if input.v

result := 2 if input.v
`

/** Without a module: the released `opa` is built without an engine for them. */
const BUNDLE = bundleOf([
  ['/.manifest', JSON.stringify({ revision: 'r', roots: ['gateway'] })],
  ['/gateway/decision.rego', `package gateway.decision\n${FRIEND_RULES}`],
])

let events: readonly Json[]
let report: Json
let problems: readonly string[]

/** What the real OPA posts, with everything switched on that fills a field. */
beforeAll(async () => {
  await using collector = await startOpaCollector()
  await using bundles = await startBundleServer(BUNDLE)
  await using opa = await startOpaServer(
    {
      labels: { region: 'eu' },
      services: { collector: { url: collector.url }, bundles: { url: bundles.url } },
      bundles: { policy: { service: 'bundles', resource: 'bundles/toolgate' } },
      distributed_tracing: { type: 'grpc', address: '127.0.0.1:1' },
      decision_logs: {
        service: 'collector',
        request_context: { http: { headers: ['User-Agent'] } },
        reporting: { min_delay_seconds: 60, max_delay_seconds: 60 },
      },
      status: { service: 'collector', prometheus: true },
    },
    { 'mask.rego': MASK, 'conflict.rego': CONFLICT },
  )
  await bundles.received(1)
  await collector.until(() => latestReport(collector)?.['active_revision'] === 'r')
  await opa.decide('gateway/decision/decision', FRIEND, { traceparent: TRACEPARENT, 'user-agent': 'x' })
  await opa.decide('conflict/result', FRIEND, { traceparent: TRACEPARENT, 'user-agent': 'x' })
  await opa.stop()
  events = collector.events
  report = collector.reports.at(-1) ?? {}
  problems = collector.problems
})

function latestReport({ reports }: OpaCollector): Json | undefined {
  return (reports.at(-1)?.['bundles'] as Record<string, Json> | undefined)?.['policy']
}

const typeOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value

/** Names with the types of their values, to the given depth. */
function shapeOf(value: unknown, depth: number): unknown {
  if (typeOf(value) !== 'object' || depth === 0) return typeOf(value)
  return Object.fromEntries(
    Object.entries(value as Json).map(([name, member]) => [name, shapeOf(member, depth - 1)]),
  )
}

/** Members of the one that the other has not, or that are of another type; nested by dots. */
function missingIn(other: unknown, one: unknown, path = ''): string[] {
  if (typeOf(one) !== 'object') return one === other ? [] : [path]
  return Object.entries(one as Json).flatMap(([name, member]) =>
    missingIn((other as Json | undefined)?.[name], member, path === '' ? name : `${path}.${name}`),
  )
}

describe('what the real OPA posts', () => {
  it('passes the checks that our own messages have to pass', () => {
    expect(problems).toEqual([])
    expect(events).toHaveLength(2)
  })

  it('has every field of our events, of the same type', () => {
    const headers = { 'User-Agent': ['x'] }
    const mask = parseMask(['/input/declared', { op: 'upsert', path: '/input/tenant', value: '***' }])
    const ours = applyMask(decisionEvent(aDecision({ headers }), LABELS, 1), mask)
    // OPA fills `custom` with metadata of a request, and knows nothing of rules that report only.
    const expected = ['custom.toolgate.effect', 'custom.toolgate.policy_digest', 'result.reported']
    expect(missingIn(shapeOf(events[0], 4), shapeOf(ours, 4)).sort()).toEqual([...expected].sort())
  })

  it('has an error like ours', () => {
    const ours = decisionEvent(aDecision({ verdict: refuse('policy.error') }), LABELS, 1)
    expect(missingIn(shapeOf(events[1]?.['error'], 1), shapeOf(ours.error, 1))).toEqual([])
    expect(events[1]).not.toHaveProperty('result')
  })

  it('has every field of our status reports, of the same type', () => {
    const source = { lastRequestAtMs: 1, lastSuccessAtMs: 1, lastDownloadAtMs: 1, httpStatus: 200 }
    const bundle = {
      name: 'policy',
      revision: 'r',
      sizeBytes: 1,
      activatedAtMs: 1,
      source,
      rejected: undefined,
    }
    const ours = statusReport({
      labels: LABELS,
      bundles: [bundle],
      loadMs: 1,
      decisionLog: { failure: undefined },
      metrics: { go_goroutines: { name: 'go_goroutines', help: '', type: 'GAUGE', metric: [] } },
    })
    expect(missingIn(shapeOf(report, 4), shapeOf(ours, 4))).toEqual([])
  })

  it('has no field of an event that ours lack, but for the counters of its own server', () => {
    const ours = decisionEvent(aDecision({ headers: { 'User-Agent': ['x'] } }), LABELS, 1)
    const lacking = missingIn(shapeOf(ours, 2), shapeOf(events[0], 2))
    expect(lacking.filter((name) => !name.startsWith('metrics.'))).toEqual(['erased', 'masked'])
  })
})
