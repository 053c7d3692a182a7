import type { UploadFailure } from '../decision-log/decision-log.ts'

/**
 * The state of one gateway by OPA's names.
 *
 * @see https://www.openpolicyagent.org/docs/management-status#status-service-api
 */
export interface StatusReport {
  readonly labels: Readonly<Record<string, string>>
  readonly bundles: Readonly<Record<string, BundleReport>>
  /** Absent where no decision log is configured; empty while all is well with it. */
  readonly decision_logs?: FailureReport
  readonly metrics?: { readonly prometheus: Readonly<Record<string, unknown>> }
  readonly plugins: Readonly<Record<string, { readonly state: PluginState; readonly message?: string }>>
}

/** Times are RFC 3339; the first moment of the year 1 where there was none, as Go writes it. */
interface BundleReport extends FailureReport {
  readonly name: string
  readonly active_revision?: string
  readonly last_successful_activation: string
  readonly type: 'snapshot'
  readonly size?: number
  readonly last_successful_download: string
  readonly last_successful_request: string
  readonly last_request: string
  /** Of the last activation. */
  readonly metrics?: Readonly<Record<string, number>>
}

interface FailureReport {
  readonly code?: string
  readonly message?: string
  readonly http_code?: number
}

type PluginState = 'NOT_READY' | 'OK' | 'ERROR' | 'WARN'

/** What a report is made of. Times are milliseconds since the epoch. */
export interface StatusFacts {
  readonly labels: Readonly<Record<string, string>>
  readonly bundles: readonly BundleFacts[]
  /** How long it took to load what is in force. */
  readonly loadMs: number | undefined
  /** `undefined` where no decision log is configured. */
  readonly decisionLog: { readonly failure: UploadFailure | undefined } | undefined
  /** Metric families by name, as OPA sends them; `undefined` to send none. */
  readonly metrics: Readonly<Record<string, unknown>> | undefined
}

export interface BundleFacts {
  readonly name: string
  readonly revision: string
  readonly sizeBytes: number | undefined
  readonly activatedAtMs: number | undefined
  readonly source: {
    readonly lastRequestAtMs: number | undefined
    readonly lastSuccessAtMs: number | undefined
    readonly lastDownloadAtMs: number | undefined
    readonly httpStatus: number | undefined
  }
  /** Why the newest bundle is not the one in force. */
  readonly rejected: { readonly problem: string; readonly message: string } | undefined
}

const NEVER = '0001-01-01T00:00:00Z'

export function statusReport(facts: StatusFacts): StatusReport {
  const { labels, bundles, decisionLog, metrics } = facts
  return {
    labels,
    bundles: Object.fromEntries(bundles.map((bundle) => [bundle.name, bundleReport(bundle, facts.loadMs)])),
    ...(decisionLog && { decision_logs: decisionLogReport(decisionLog.failure) }),
    ...(metrics && { metrics: { prometheus: metrics } }),
    plugins: {
      bundle: bundles.every(({ activatedAtMs }) => activatedAtMs !== undefined)
        ? { state: 'OK' }
        : { state: 'NOT_READY' },
      // As with OPA, a collector that is away is no state of the plugin: it goes on, and says so in `decision_logs`.
      ...(decisionLog && { decision_logs: { state: 'OK' as const } }),
      status: { state: 'OK' },
    },
  }
}

function bundleReport(bundle: BundleFacts, loadMs: number | undefined): BundleReport {
  const { name, revision, sizeBytes, activatedAtMs, source, rejected } = bundle
  return {
    name,
    ...(activatedAtMs !== undefined && { active_revision: revision }),
    last_successful_activation: timeOf(activatedAtMs),
    type: 'snapshot',
    ...(sizeBytes !== undefined && { size: sizeBytes }),
    last_successful_download: timeOf(source.lastDownloadAtMs),
    last_successful_request: timeOf(source.lastSuccessAtMs),
    last_request: timeOf(source.lastRequestAtMs),
    ...(rejected && {
      code: 'bundle_error',
      message: `${rejected.problem}: ${rejected.message}`,
      ...(rejected.problem === 'service' && httpCode(source.httpStatus)),
    }),
    ...(loadMs !== undefined && { metrics: { timer_rego_load_bundles_ns: Math.round(loadMs * 1e6) } }),
  }
}

function decisionLogReport(failure: UploadFailure | undefined): FailureReport {
  if (failure === undefined) return {}
  return { code: 'decision_log_error', message: failure.message, ...httpCode(failure.httpStatus) }
}

/** Answers that say that nothing is wrong are not told beside an error. */
function httpCode(httpStatus: number | undefined): { http_code?: number } {
  return httpStatus === undefined || (httpStatus >= 200 && httpStatus < 300) ? {} : { http_code: httpStatus }
}

function timeOf(epochMs: number | undefined): string {
  return epochMs === undefined ? NEVER : new Date(epochMs).toISOString()
}
