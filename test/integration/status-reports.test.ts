import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import {
  StatusReporter,
  type StatusReporterEvent,
} from '../../gateway/policy/status-reports/status-reporter.ts'
import { statusReport } from '../../gateway/policy/status-reports/status-report.ts'
import { decisionLogConfig } from '../harness/decision-log.ts'
import { startTestGateway } from '../harness/gateway.ts'
import { compileRules, FRIEND_RULES } from '../harness/opa.ts'
import { type OpaCollector, startOpaCollector } from '../harness/opa-collector.ts'
import { ALLOW_EVERYTHING } from '../harness/permissive-rules.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

type Json = Readonly<Record<string, unknown>>

const LABELS = { id: '0a9e3f0e-5a55-4b55-8bd5-0f7d3f5f3a10', version: '1' }
const soon = { timeout: 8_000, interval: 10 }

/** A reporter of something that is counted, and sent as the size of a bundle. */
function startReporter(collector: OpaCollector, timeoutMs = 5_000, token?: () => string) {
  const told: StatusReporterEvent[] = []
  let state = 0
  const source = {
    lastRequestAtMs: undefined,
    lastSuccessAtMs: undefined,
    lastDownloadAtMs: undefined,
    httpStatus: undefined,
  }
  const bundle = { name: 'policy', revision: 'r', activatedAtMs: 1, source, rejected: undefined }
  const reporter = new StatusReporter({
    config: {
      service: { ...decisionLogConfig(collector.url).service, timeoutMs },
      resource: 'status/edge',
      metrics: false,
    },
    token,
    report: () =>
      Promise.resolve(
        statusReport({
          labels: LABELS,
          bundles: [{ ...bundle, sizeBytes: state }],
          loadMs: undefined,
          decisionLog: undefined,
          metrics: undefined,
        }),
      ),
    onEvent: (event) => void told.push(event),
  })
  return {
    reporter,
    told,
    change: (): void => {
      state += 1
      reporter.changed()
    },
    [Symbol.asyncDispose]: () => reporter[Symbol.asyncDispose](),
  }
}

const sizesIn = ({ reports }: OpaCollector): unknown[] =>
  reports.map((report) => (report['bundles'] as Record<string, Json>)['policy']?.['size'])

describe('a status report', () => {
  it('is sent when something changes, once for what changes together', async () => {
    await using collector = await startOpaCollector({ token: 'hunter2' })
    await using status = startReporter(collector, 5_000, () => 'hunter2')
    for (let count = 0; count < 5; count += 1) status.change()
    await collector.until(() => collector.reports.length === 1)
    status.change()
    await collector.until(() => collector.reports.length === 2)
    expect(sizesIn(collector)).toEqual([5, 6])
    expect(collector.problems).toEqual([])
  })

  it('of something that changes while another is on its way comes after it', async () => {
    await using collector = await startOpaCollector()
    await using status = startReporter(collector)
    const arrived = Promise.withResolvers<() => void>()
    collector.answerWith((_, response) => arrived.resolve(() => response.writeHead(200).end()))
    status.change()
    const answer = await arrived.promise
    status.change()
    collector.answerWith(undefined)
    answer()
    await collector.until(() => collector.reports.length === 1)
    expect(sizesIn(collector)).toEqual([2])
  })

  it.each([
    ['answers 500', 500],
    ['redirects', 302],
  ])('that a service %s is sent again, as things are by then', async (_, httpStatus) => {
    await using collector = await startOpaCollector()
    await using status = startReporter(collector)
    collector.answerWith((_, response) => void response.writeHead(httpStatus, { location: '/x' }).end())
    status.change()
    await vi.waitFor(() => expect(status.told).toContainEqual(expect.objectContaining({ again: true })), soon)
    expect(status.reporter.failing).toBe(true)
    status.change()
    collector.answerWith(undefined)
    await collector.until(() => collector.reports.length === 1)
    expect(sizesIn(collector)).toEqual([2])
    await vi.waitFor(() => expect(status.reporter.failing).toBe(false), soon)
  })

  it('to a service that hangs keeps nobody from ending', async () => {
    await using collector = await startOpaCollector()
    collector.answerWith(() => undefined)
    await using status = startReporter(collector, 60_000)
    status.change()
    await collector.until(() => collector.requests === 1)
    const startedMs = performance.now()
    await status.reporter[Symbol.asyncDispose]()
    expect(performance.now() - startedMs).toBeLessThan(2_000)
  })

  it('of a gateway tells what is in force, what was refused and why nothing can be uploaded', async () => {
    await using folder = await temporaryDirectory()
    await using collector = await startOpaCollector()
    await using closed = await startOpaCollector()
    closed.answerWith((_, response) => void response.writeHead(403).end())
    const path = join(folder.path, 'bundle.tar.gz')
    await writeFile(path, await compileRules(FRIEND_RULES, { revision: 'first' }))
    const log = { service: { url: closed.url }, minDelayMs: 100, maxDelayMs: 200 }
    await using toolgate = await startTestGateway({
      settings: {
        policy: {
          bundle: path,
          labels: { region: 'eu' },
          status: { service: { url: collector.url }, metrics: true },
          decisionLog: log,
        },
      },
    })
    const bundle = (): Json | undefined =>
      (collector.reports.at(-1)?.['bundles'] as Record<string, Json> | undefined)?.['policy']
    await collector.until(() => bundle()?.['active_revision'] === 'first')
    expect(collector.reports[0]).toMatchObject({
      labels: { region: 'eu' },
      plugins: { bundle: { state: 'OK' }, decision_logs: { state: 'OK' }, status: { state: 'OK' } },
    })
    expect(bundle()).toMatchObject({ type: 'snapshot', size: (await readFile(path)).length })

    await writeFile(path, 'nonsense')
    await collector.until(() => bundle()?.['code'] === 'bundle_error')
    expect(bundle()).toMatchObject({ active_revision: 'first' })
    expect(String(bundle()?.['message'])).toContain('archive')

    await writeFile(path, await compileRules(ALLOW_EVERYTHING, { revision: 'second' }))
    await collector.until(() => bundle()?.['active_revision'] === 'second')
    expect(bundle()).not.toHaveProperty('code')

    await toolgate.send('GET', '/github/repos/zyx/platform-infra/pulls/991')
    await collector.until(
      () => (collector.reports.at(-1)?.['decision_logs'] as Json | undefined)?.['http_code'] === 403,
    )
    const report = collector.reports.at(-1) as { metrics: { prometheus: Record<string, Json> } }
    const { prometheus } = report.metrics
    expect(prometheus['toolgate_decision_log_buffer_events']).toMatchObject({ type: 'GAUGE' })
    expect(collector.problems).toEqual([])
    expect(await toolgate.metric('toolgate_status_reports_total', { result: 'success' })).toBeGreaterThan(3)
  })
})
