import { randomUUID } from 'node:crypto'
import type { Config, SecretReference } from './config/config.ts'
import { createSecretReader } from './config/secret.ts'
import type { Clock } from './lib/clock.ts'
import { DecisionLog, type DecisionLogEvent } from './policy/decision-log/decision-log.ts'
import type { PolicyEvent } from './policy/policy.ts'
import { metricFamilies } from './policy/status-reports/metric-families.ts'
import { StatusReporter } from './policy/status-reports/status-reporter.ts'
import { statusReport, type StatusFacts } from './policy/status-reports/status-report.ts'
import type { Telemetry } from './telemetry/telemetry.ts'
import { VERSION } from './version.ts'

/** What control planes and collectors of OPA are told. */
export interface Reports extends AsyncDisposable {
  readonly decisionLog: DecisionLog | undefined
  /** Says where the state of the bundles is asked for, and reports it. */
  watch(bundles: () => BundleState): void
  /** What happens to the bundles is reported; what happens to single evaluations is not. */
  policyEvent(event: Pick<PolicyEvent, 'type'>): void
  /** State for people. */
  status(): unknown
}

export type BundleState = Pick<StatusFacts, 'bundles' | 'loadMs'>

export interface ReportsOptions {
  readonly config: Config
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly telemetry: Pick<Telemetry, 'events' | 'metricsJson'>
}

/** @throws Error when the directory of the decision log cannot be used */
export async function openReports(options: ReportsOptions): Promise<Reports> {
  // Each process is an instance of its own to whoever listens, as each OPA is.
  const labels = { ...options.config.policy.labels, id: randomUUID(), version: VERSION }
  let bundleState: () => BundleState = () => ({ bundles: [], loadMs: undefined })
  // A report may be due while the log is being opened.
  let decisionLog: DecisionLog | undefined
  await using stack = new AsyncDisposableStack()

  const reporter = stack.use(
    openReporter(options, () => ({ labels, ...bundleState(), decisionLog: decisionLog?.status() })),
  )
  decisionLog = stack.use(await openDecisionLog(options, labels, () => reporter?.changed()))
  const owned = stack.move()
  return {
    decisionLog,
    watch: (bundles) => {
      bundleState = bundles
      reporter?.changed()
    },
    policyEvent: ({ type }) => {
      if (type === 'activated' || type === 'confirmed' || type === 'rejected') reporter?.changed()
    },
    status: () => ({
      instance: labels.id,
      decisionLog: decisionLog?.status(),
      statusReports: reporter && { failing: reporter.failing },
    }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** `undefined` where nobody is to be told of the state. */
function openReporter(
  { config: { policy }, environment, telemetry }: ReportsOptions,
  facts: () => Omit<StatusFacts, 'metrics'>,
): StatusReporter | undefined {
  const config = policy.status
  return (
    config &&
    new StatusReporter({
      config,
      token: tokenOf(config.service.token, environment),
      report: async () => {
        const metrics = config.metrics ? metricFamilies(await telemetry.metricsJson()) : undefined
        return statusReport({ ...facts(), metrics })
      },
      onEvent: telemetry.events.statusReports,
    })
  )
}

/** `undefined` where decisions are not logged. */
async function openDecisionLog(
  { config: { policy }, environment, clock, telemetry }: ReportsOptions,
  labels: StatusFacts['labels'],
  onUploadResult: () => void,
): Promise<DecisionLog | undefined> {
  const config = policy.decisionLog
  return (
    config &&
    DecisionLog.open({
      config,
      labels,
      token: tokenOf(config.service.token, environment),
      clock,
      onEvent: (event) => {
        telemetry.events.decisionLog(event)
        if (isUploadResult(event)) onUploadResult()
      },
    })
  )
}

function isUploadResult({ type }: DecisionLogEvent): boolean {
  return type === 'upload_done' || type === 'upload_failed'
}

function tokenOf(
  reference: SecretReference | undefined,
  environment: ReportsOptions['environment'],
): (() => string) | undefined {
  return reference && (() => createSecretReader(environment)(reference))
}
