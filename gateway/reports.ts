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
  const { config, environment, clock, telemetry } = options
  const { decisionLog: logConfig, status: statusConfig } = config.policy
  // Each process is an instance of its own to whoever listens, as each OPA is.
  const labels = { ...config.policy.labels, id: randomUUID(), version: VERSION }
  let bundleState: () => BundleState = () => ({ bundles: [], loadMs: undefined })
  await using stack = new AsyncDisposableStack()

  const reporter =
    statusConfig &&
    stack.use(
      new StatusReporter({
        config: statusConfig,
        token: tokenOf(statusConfig.service.token, environment),
        report: async () =>
          statusReport({
            labels,
            ...bundleState(),
            decisionLog: decisionLog?.status(),
            metrics: statusConfig.metrics ? metricFamilies(await telemetry.metricsJson()) : undefined,
          }),
        onEvent: telemetry.events.statusReports,
      }),
    )
  const decisionLog =
    logConfig &&
    stack.use(
      await DecisionLog.open({
        config: logConfig,
        labels,
        token: tokenOf(logConfig.service.token, environment),
        clock,
        onEvent: (event) => {
          telemetry.events.decisionLog(event)
          if (isUploadResult(event)) reporter?.changed()
        },
      }),
    )
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

function isUploadResult({ type }: DecisionLogEvent): boolean {
  return type === 'upload_done' || type === 'upload_failed'
}

function tokenOf(
  reference: SecretReference | undefined,
  environment: ReportsOptions['environment'],
): (() => string) | undefined {
  return reference && (() => createSecretReader(environment)(reference))
}
