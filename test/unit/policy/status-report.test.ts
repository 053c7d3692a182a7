import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { metricFamilies } from '../../../gateway/policy/status-reports/metric-families.ts'
import { statusReport, type StatusFacts } from '../../../gateway/policy/status-reports/status-report.ts'
import { statusProblems } from '../../harness/opa-messages.ts'

const LABELS = { id: '0a9e3f0e-5a55-4b55-8bd5-0f7d3f5f3a10', version: '1' }
const AT_MS = Date.parse('2026-11-23T09:00:00Z')
const BUNDLE = {
  name: 'policy',
  revision: 'r1',
  sizeBytes: 1_024,
  activatedAtMs: AT_MS,
  source: {
    lastRequestAtMs: AT_MS + 3_000,
    lastSuccessAtMs: AT_MS + 2_000,
    lastDownloadAtMs: AT_MS - 1_000,
    httpStatus: 200,
  },
  rejected: undefined,
}
const FACTS: StatusFacts = {
  labels: LABELS,
  bundles: [BUNDLE],
  loadMs: 12.5,
  decisionLog: { failure: undefined },
  metrics: undefined,
}
const report = (more: Partial<StatusFacts> = {}) => statusReport({ ...FACTS, ...more })

describe('a status report', () => {
  it('has the fields of bundles that are in force, and nothing that OPA does not know', () => {
    expect(statusProblems(report())).toEqual([])
    expect(report()).toEqual({
      labels: LABELS,
      bundles: {
        policy: {
          name: 'policy',
          active_revision: 'r1',
          last_successful_activation: '2026-11-23T09:00:00.000Z',
          type: 'snapshot',
          size: 1_024,
          last_successful_download: '2026-11-23T08:59:59.000Z',
          last_successful_request: '2026-11-23T09:00:02.000Z',
          last_request: '2026-11-23T09:00:03.000Z',
          metrics: { timer_rego_load_bundles_ns: 12_500_000 },
        },
      },
      decision_logs: {},
      plugins: { bundle: { state: 'OK' }, decision_logs: { state: 'OK' }, status: { state: 'OK' } },
    })
  })

  it('says why a bundle was refused, and what a service answered', () => {
    const rejected = { problem: 'service', message: 'the bundle service answered 503' }
    const { bundles } = report({
      bundles: [{ ...BUNDLE, source: { ...BUNDLE.source, httpStatus: 503 }, rejected }],
    })
    expect(bundles['policy']).toMatchObject({
      active_revision: 'r1',
      code: 'bundle_error',
      message: 'service: the bundle service answered 503',
      http_code: 503,
    })
  })

  it('tells no status of a service where the bundle itself is wrong', () => {
    const rejected = { problem: 'signature', message: 'not signed' }
    expect(report({ bundles: [{ ...BUNDLE, rejected }] }).bundles['policy']).not.toHaveProperty('http_code')
  })

  it('has the first moment of Go for what never was, and no revision', () => {
    const never = { lastRequestAtMs: undefined, lastSuccessAtMs: undefined, lastDownloadAtMs: undefined }
    const bundle = { ...BUNDLE, activatedAtMs: undefined, source: { ...never, httpStatus: undefined } }
    const told = report({ bundles: [bundle] })
    expect(statusProblems(told)).toEqual([])
    expect(told.bundles['policy']).toMatchObject({ last_request: '0001-01-01T00:00:00Z' })
    expect(told.bundles['policy']).not.toHaveProperty('active_revision')
    expect(told.plugins['bundle']).toEqual({ state: 'NOT_READY' })
  })

  it('says why decisions could not be uploaded', () => {
    const failure = { message: 'log upload failed, the service answered 500', httpStatus: 500 }
    expect(report({ decisionLog: { failure } }).decision_logs).toEqual({
      code: 'decision_log_error',
      message: failure.message,
      http_code: 500,
    })
    const noAnswer = report({ decisionLog: { failure: { message: 'no answer', httpStatus: undefined } } })
    expect(noAnswer.decision_logs).not.toHaveProperty('http_code')
  })

  it('speaks of no decision log where there is none', () => {
    const told = report({ decisionLog: undefined })
    expect(told).not.toHaveProperty('decision_logs')
    expect(told.plugins).not.toHaveProperty('decision_logs')
  })

  it('has metrics in the form of Prometheus families', async () => {
    const registers = [new Registry()]
    new Counter({ name: 'calls_total', help: 'Calls.', labelNames: ['access'], registers }).inc(
      { access: 'read' },
      3,
    )
    new Gauge({ name: 'up', help: 'Up.', registers }).set(1)
    const seconds = new Histogram({
      name: 'seconds',
      help: 'Time.',
      labelNames: ['connector'],
      buckets: [0.1, 1],
      registers,
    })
    seconds.observe({ connector: 'a' }, 0.5)
    seconds.observe({ connector: 'b' }, 0.05)
    const metrics = metricFamilies((await registers[0]?.getMetricsAsJSON()) ?? [])
    expect(statusProblems(report({ metrics }))).toEqual([])
    expect(metrics).toEqual({
      calls_total: {
        name: 'calls_total',
        help: 'Calls.',
        type: 'COUNTER',
        metric: [{ label: [{ name: 'access', value: 'read' }], counter: { value: 3 } }],
      },
      up: { name: 'up', help: 'Up.', type: 'GAUGE', metric: [{ gauge: { value: 1 } }] },
      seconds: {
        name: 'seconds',
        help: 'Time.',
        type: 'HISTOGRAM',
        metric: ['a', 'b'].map((connector) => ({
          label: [{ name: 'connector', value: connector }],
          histogram: {
            sampleCount: '1',
            sampleSum: connector === 'a' ? 0.5 : 0.05,
            bucket: [
              { cumulativeCount: connector === 'a' ? '0' : '1', upperBound: 0.1 },
              { cumulativeCount: '1', upperBound: 1 },
            ],
          },
        })),
      },
    })
  })
})
