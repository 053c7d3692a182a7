import { Counter, type Registry } from 'prom-client'
import { assertNever } from '../lib/assert-never.ts'
import type { DecisionLogEvent } from '../policy/decision-log/decision-log.ts'
import type { UploadEvent } from '../policy/decision-log/uploader.ts'
import { LOG_ENTRYPOINTS } from '../policy/evaluation/entrypoints.ts'
import type { StatusReporterEvent } from '../policy/status-reports/status-reporter.ts'
import { causeFields } from './call-line.ts'
import type { Log } from './log.ts'

/** Why a decision is not in the decision log. */
const DROP_REASONS = ['rule', 'rate', 'buffer_full', 'too_large', 'encoding', 'damaged'] as const
type DropReason = (typeof DROP_REASONS)[number]

export type ReportEvents = ReturnType<typeof createReportEvents>

/** What the decision log and the status reports count and say. */
export function createReportEvents(log: Log, registry: Registry) {
  const metrics = defineMetrics(registry)
  return { decisionLog: decisionLogEvents(log, metrics), statusReports: statusEvents(log, metrics) }
}

type ReportMetrics = ReturnType<typeof defineMetrics>

function defineMetrics(registry: Registry) {
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name, help, labelNames, registers: [registry] })
  const metrics = {
    encoded: counter('toolgate_decision_log_encoded_total', 'Decisions masked, encoded and buffered.', []),
    uploaded: counter('toolgate_decision_log_uploaded_total', 'Decisions that the collector has taken.', []),
    dropped: counter('toolgate_decision_log_dropped_total', 'Decisions that are not logged, by reason.', [
      'reason',
    ]),
    ruleFailures: counter(
      'toolgate_decision_log_rule_failures_total',
      'Rules on the decision log that could not be evaluated, by entrypoint.',
      ['entrypoint'],
    ),
    uploads: counter('toolgate_decision_log_uploads_total', 'Uploads of the decision log, by result.', [
      'result',
    ]),
    reports: counter('toolgate_status_reports_total', 'Status reports sent, by result.', ['result']),
  }
  // A series that appears with its first failure has no rate for it: the jump from nothing to one is invisible.
  for (const reason of DROP_REASONS) metrics.dropped.inc({ reason }, 0)
  for (const entrypoint of LOG_ENTRYPOINTS) metrics.ruleFailures.inc({ entrypoint }, 0)
  for (const result of ['success', 'failure']) {
    metrics.uploads.inc({ result }, 0)
    metrics.reports.inc({ result }, 0)
  }
  return metrics
}

function decisionLogEvents(log: Log, metrics: ReportMetrics): (event: DecisionLogEvent) => void {
  const uploadEvent = uploadEvents(log, metrics)
  const drop = (reason: DropReason, events: number): void => metrics.dropped.inc({ reason }, events)
  return (event) => {
    switch (event.type) {
      case 'encoded':
        return metrics.encoded.inc()
      case 'dropped':
        return drop(event.why, 1)
      case 'encoding_failed':
        drop('encoding', 1)
        return log.write('error', 'decision_log.encoding_failed', causeFields(event.cause))
      case 'rule_failed': {
        const { entrypoint, cause } = event.failure
        metrics.ruleFailures.inc({ entrypoint })
        return log.write('error', 'decision_log.rule_failed', { detail: entrypoint, ...causeFields(cause) })
      }
      case 'overflowed':
        drop('buffer_full', event.events)
        return log.write('warn', 'decision_log.overflowed', { events: event.events })
      case 'damaged': {
        const { events, lostBytes } = event
        drop('damaged', events)
        return log.write('error', 'decision_log.damaged', { events, lost_bytes: lostBytes })
      }
      case 'recovered': {
        const { events, tornBytes } = event
        return log.write('info', 'decision_log.recovered', { events, torn_bytes: tornBytes })
      }
      case 'disk_failed':
        return log.write('error', 'decision_log.disk_failed', causeFields(event.cause))
      case 'disk_works_again':
        return log.write('info', 'decision_log.disk_works_again', {})
      default:
        return uploadEvent(event)
    }
  }
}

function uploadEvents(log: Log, metrics: ReportMetrics): (event: UploadEvent) => void {
  const isFirstFailure = onceUntilReset()
  return (event) => {
    switch (event.type) {
      case 'too_large':
        metrics.dropped.inc({ reason: 'too_large' satisfies DropReason })
        return log.write('warn', 'decision_log.event_too_large', {})
      case 'cache_dropped':
        return log.write('debug', 'decision_log.cache_dropped', {})
      case 'uploaded':
        return metrics.uploaded.inc(event.events)
      case 'upload_done':
        metrics.uploads.inc({ result: 'success' })
        if (isFirstFailure.reset()) log.write('info', 'decision_log.uploads_again', {})
        return undefined
      case 'upload_failed':
        metrics.uploads.inc({ result: 'failure' })
        return log.write(
          isFirstFailure() ? 'warn' : 'debug',
          'decision_log.upload_failed',
          causeFields(event.error),
        )
      default:
        return assertNever(event)
    }
  }
}

function statusEvents(log: Log, metrics: ReportMetrics): (event: StatusReporterEvent) => void {
  return (event) => {
    switch (event.type) {
      case 'reported':
        return metrics.reports.inc({ result: 'success' })
      case 'report_failed':
        metrics.reports.inc({ result: 'failure' })
        return log.write(event.again ? 'debug' : 'warn', 'status_report.failed', causeFields(event.error))
      default:
        return assertNever(event)
    }
  }
}

/** A service that is away fails again and again; the log is told once, and when it is over. */
function onceUntilReset(): (() => boolean) & { reset(): boolean } {
  let told = false
  const first = (): boolean => {
    const isFirst = !told
    told = true
    return isFirst
  }
  const reset = (): boolean => {
    const was = told
    told = false
    return was
  }
  return Object.assign(first, { reset })
}
