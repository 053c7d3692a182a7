import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client'
import type { RefusalCode } from '../refusal.ts'
import { HeldCounter } from './held-counter.ts'
import { HeldHistogram } from './held-histogram.ts'
import { LIMITER_REFUSALS } from './labels.ts'

/** Seconds; from what a cache hit costs to what a slow upstream may take. */
const CALL_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
/** Seconds; for what the gateway itself adds. */
const OVERHEAD_BUCKETS = [0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.25, 1]
/** Seconds; for steps that take microseconds. */
const STEP_BUCKETS = [0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05]

/** What becomes of what Node could not make a request of. */
const UNPARSED_REASONS = [
  'request.malformed',
  'request.ambiguous',
  'request.target_invalid',
  'request.headers_too_large',
  'request.timeout',
] as const satisfies readonly RefusalCode[]

export type Metrics = ReturnType<typeof createMetrics>

/** The metrics that events count, with every series that is known beforehand at zero. */
export function createMetrics(registry: Registry) {
  const metrics = defineMetrics(registry)
  // A series that appears with its first failure has no rate for it: the jump from nothing to one is invisible.
  for (const verdict of ['admitted', ...LIMITER_REFUSALS]) metrics.limiterVerdicts.inc({ verdict }, 0)
  for (const result of ['hit', 'miss']) metrics.identityCache.inc({ result }, 0)
  for (const result of ['success', 'failure']) metrics.keyRefreshes.inc({ result }, 0)
  for (const reason of UNPARSED_REASONS) metrics.unparsed.inc({ reason }, 0)
  return metrics
}

/** Every name, unit and label in one place. */
function defineMetrics(registry: Registry) {
  collectDefaultMetrics({ register: registry })
  const definitions = definitionsIn(registry)
  return {
    ...callMetrics(definitions),
    ...identityMetrics(definitions),
    ...policyMetrics(definitions),
    ...limiterMetrics(definitions),
    ...auditMetrics(definitions),
    ...configMetrics(definitions),
  }
}

type Definitions = ReturnType<typeof definitionsIn>

function definitionsIn(registry: Registry) {
  const registers = [registry]
  return {
    counter: <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
      new HeldCounter({ name, help, labelNames, registers }),
    histogram: <Label extends string>(
      name: string,
      help: string,
      labelNames: readonly Label[],
      buckets: number[],
    ) => new HeldHistogram({ name, help, labelNames, buckets, registers }),
    gauge: (name: string, help: string, aggregator: 'sum' | 'min' | 'max' | 'first') =>
      new Gauge({ name, help, aggregator, registers }),
  }
}

function callMetrics({ counter, histogram }: Definitions) {
  return {
    calls: counter('toolgate_calls_total', 'Calls, by what the gateway decided and why.', [
      'connector',
      'access',
      'decision',
      'reason',
    ]),
    unparsed: counter('toolgate_requests_unparsed_total', 'Requests that could not be parsed, by reason.', [
      'reason',
    ]),
    upstreamReplies: counter('toolgate_upstream_replies_total', 'Answers of upstreams, by class of status.', [
      'connector',
      'status_class',
    ]),
    findings: counter(
      'toolgate_findings_total',
      'What detectors found in requests and answers; one count for each name and call.',
      ['side', 'kind', 'name'],
    ),
    replyBytes: counter('toolgate_reply_bytes_total', 'Bytes of body sent to callers.', ['connector']),
    callSeconds: histogram(
      'toolgate_call_duration_seconds',
      'From the arrival of a call to its end.',
      ['connector', 'access'],
      CALL_BUCKETS,
    ),
    overheadSeconds: histogram(
      'toolgate_call_overhead_duration_seconds',
      'What the gateway added: duration of a call without the wait for the upstream.',
      ['connector'],
      OVERHEAD_BUCKETS,
    ),
    upstreamSeconds: histogram(
      'toolgate_upstream_duration_seconds',
      'From sending a request upstream to the header section of the answer.',
      ['connector'],
      CALL_BUCKETS,
    ),
  }
}

function identityMetrics({ counter, gauge }: Definitions) {
  return {
    identityCache: counter(
      'toolgate_identity_cache_lookups_total',
      'Lookups of verified tokens in the cache, by result.',
      ['result'],
    ),
    keyRefreshes: counter('toolgate_identity_key_refreshes_total', 'Fetches of issuer keys, by result.', [
      'result',
    ]),
    unboundTokens: gauge(
      'toolgate_dangerously_allow_unbound_tokens',
      'Whether access tokens without proof of possession are accepted.',
      'max',
    ),
  }
}

function policyMetrics({ counter, histogram, gauge }: Definitions) {
  return {
    policySeconds: histogram(
      'toolgate_policy_duration_seconds',
      'Time to build the policy input and evaluate it.',
      [],
      STEP_BUCKETS,
    ),
    policyReasons: counter('toolgate_policy_reasons_total', 'Reasons that policy gave for its denials.', [
      'connector',
      'reason',
    ]),
    policyReported: counter(
      'toolgate_policy_reported_total',
      'Reasons of rules in report mode, which deny nothing.',
      ['connector', 'reason'],
    ),
    policyReloaded: gauge(
      'toolgate_policy_last_reload_successful',
      'Whether the last policy bundle was taken.',
      'min',
    ),
    policyLoadSeconds: gauge(
      'toolgate_policy_load_duration_seconds',
      'How long loading the policy in force took.',
      'max',
    ),
    policyReloadedAt: gauge(
      'toolgate_policy_last_reload_success_timestamp_seconds',
      'When the policy bundle in force was loaded.',
      'min',
    ),
  }
}

function limiterMetrics({ counter, histogram }: Definitions) {
  return {
    limiterVerdicts: counter('toolgate_limiter_verdicts_total', 'What admission made of calls.', ['verdict']),
    policyBreakerOpened: counter(
      'toolgate_policy_breaker_opened_total',
      'Agents stopped because policy kept failing for them.',
      [],
    ),
    breakerChanges: counter('toolgate_breaker_changes_total', 'Changes of upstream breakers, by new state.', [
      'connector',
      'state',
    ]),
    storeSeconds: histogram(
      'toolgate_store_duration_seconds',
      'Round trips to the limiter store.',
      [],
      STEP_BUCKETS,
    ),
    storeErrors: counter('toolgate_store_errors_total', 'Round trips to the limiter store that failed.', []),
  }
}

function auditMetrics({ counter, histogram }: Definitions) {
  return {
    auditSeconds: histogram(
      'toolgate_audit_append_duration_seconds',
      'Time until an audit entry was as durable as asked.',
      ['durability'],
      CALL_BUCKETS,
    ),
    auditSyncSeconds: histogram(
      'toolgate_audit_fsync_duration_seconds',
      'Time of each fsync of the audit log.',
      [],
      CALL_BUCKETS,
    ),
    auditLost: counter('toolgate_audit_outcomes_lost_total', 'Outcomes that could not be put on record.', []),
    disclosuresLost: counter(
      'toolgate_audit_disclosures_lost_total',
      'Calls whose entries commit to disclosures that could not be kept.',
      [],
    ),
    auditPublishFailures: counter(
      'toolgate_audit_publish_failures_total',
      'Checkpoints of the audit log that could not be published when they were due.',
      [],
    ),
    auditInDoubt: counter(
      'toolgate_audit_calls_in_doubt_total',
      'Calls found at start with an intent and no outcome on record.',
      [],
    ),
  }
}

function configMetrics({ gauge }: Definitions) {
  return {
    configReloaded: gauge(
      'toolgate_config_last_reload_successful',
      'Whether the last reading of the configuration succeeded.',
      'min',
    ),
    configReloadedAt: gauge(
      'toolgate_config_last_reload_success_timestamp_seconds',
      'When the configuration in force was read.',
      'min',
    ),
  }
}
