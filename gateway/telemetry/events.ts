import type { Durability } from '../audit/audit-log.ts'
import type { FleetAlarm } from '../audit/fleet-log.ts'
import type { WitnessOutcome } from '../audit/witness/witnessing.ts'
import type { FleetLogMetrics } from './fleet-log-metrics.ts'
import type { Progress, Unparsed } from '../exchange.ts'
import type { Outcome } from '../outcome.ts'
import { printable, scrub } from '../lib/scrub.ts'
import type { ProvenAgent } from '../limits/policy-breaker.ts'
import { callLine, causeFields, levelOf } from './call-line.ts'
import { CallMetrics } from './call-metrics.ts'
import { closedLabel, OUTCOME_CODES } from './labels.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import { BREAKER_STATES, type BreakerStateLabel } from './states.ts'

/** What happens in the gateway, as the log and the metrics learn it: one function per event, feeding both. */
export type Events = ReturnType<typeof createEvents>

export interface EventsOptions {
  readonly log: Log
  readonly metrics: Metrics
  readonly fleetLog: FleetLogMetrics
  readonly connectors: () => ReadonlySet<string>
  readonly nowMs: () => number
}

export function createEvents(options: EventsOptions) {
  const { log, metrics } = options
  const calls = new CallMetrics(metrics, options.connectors)
  const policySeconds = metrics.policySeconds.series()
  return {
    callFinished(call: Progress, outcome: Outcome, durationMs: number): void {
      calls.count(call, outcome, durationMs)
      log.write(levelOf(outcome.code), 'call', callLine(call, outcome, durationMs))
    },
    requestUnparsed({ callId, peerAddress, refusal, status }: Unparsed): void {
      metrics.unparsed.inc({ reason: closedLabel(OUTCOME_CODES, refusal.code) })
      log.write('info', 'request.unparsed', {
        call_id: callId,
        peer: printable(peerAddress, 64),
        reason: refusal.code,
        status,
        detail: scrub(refusal.detail ?? '', 256),
      })
    },
    policyEvaluated(elapsedMs: number): void {
      policySeconds.observe(elapsedMs / 1_000)
    },
    ...stateEvents(options),
    ...dependencyEvents(options),
    ...auditEvents(options),
    ...publishedRecordEvents(options),
  }
}

function stateEvents({ log, metrics, nowMs }: EventsOptions) {
  return {
    started(fields: { host: string; port: number; version: string }): void {
      log.write('info', 'gateway.started', fields)
    },
    draining(): void {
      log.write('info', 'gateway.draining', {})
    },
    stopped(lostLines: number): void {
      log.write('info', 'gateway.stopped', { lost_lines: lostLines })
    },
    faulted(cause: unknown): void {
      log.write('error', 'gateway.fault', causeFields(cause, true))
    },
    /** The first reading counts too, so that the metric is there from the start. */
    configLoaded(): void {
      metrics.configReloaded.set(1)
      metrics.configReloadedAt.set(nowMs() / 1_000)
      log.write('info', 'config.loaded', {})
    },
    configRejected(cause: unknown): void {
      metrics.configReloaded.set(0)
      log.write('error', 'config.rejected', causeFields(cause))
    },
    unboundTokens(allowed: boolean): void {
      metrics.unboundTokens.set(Number(allowed))
      if (allowed) log.write('warn', 'identity.unbound_tokens_allowed', {})
    },
  }
}

function dependencyEvents({ log, metrics, connectors }: EventsOptions) {
  const storeSeconds = metrics.storeSeconds.series()
  return {
    storeAnswered(elapsedMs: number): void {
      storeSeconds.observe(elapsedMs / 1_000)
    },
    policyBreakerOpened({ tenant, issuer, id }: ProvenAgent): void {
      metrics.policyBreakerOpened.inc()
      log.write('warn', 'breaker.policy_opened', {
        agent: printable(id, 256),
        tenant: printable(tenant, 256),
        issuer: printable(issuer, 256),
      })
    },
    breakerChanged(connector: string, state: BreakerStateLabel): void {
      closedLabel(connectors(), connector)
      closedLabel(new Set(BREAKER_STATES), state)
      metrics.breakerChanges.inc({ connector, state })
      log.write(state === 'open' ? 'warn' : 'info', 'breaker.state', { connector, state })
    },
  }
}

function auditEvents({ log, metrics }: EventsOptions) {
  const appends = {
    flushed: metrics.auditSeconds.series('flushed'),
    strict: metrics.auditSeconds.series('strict'),
  }
  const syncs = metrics.auditSyncSeconds.series()
  return {
    auditAppended(durability: Durability, durationMs: number): void {
      appends[durability].observe(durationMs / 1_000)
    },
    auditSynced(durationMs: number): void {
      syncs.observe(durationMs / 1_000)
    },
    auditRecovered(found: {
      readonly node: string
      readonly epoch: string
      readonly sealed: boolean
      readonly tornBytes: number
      readonly inDoubtCalls: readonly string[]
    }): void {
      metrics.auditInDoubt.inc(found.inDoubtCalls.length)
      log.write(found.inDoubtCalls.length === 0 ? 'info' : 'warn', 'audit.recovered', {
        node: found.node,
        epoch: found.epoch,
        sealed: found.sealed,
        torn_bytes: found.tornBytes,
        in_doubt_calls: found.inDoubtCalls.length,
      })
    },
    auditFailed(cause: unknown): void {
      log.write('error', 'audit.failed', causeFields(cause))
    },
    disclosuresLost(calls: number, cause: unknown): void {
      metrics.disclosuresLost.inc(calls)
      log.write('error', 'audit.disclosures_lost', { calls, ...causeFields(cause) })
    },
    outcomeLost(callId: string, cause: unknown): void {
      metrics.auditLost.inc()
      log.write('error', 'audit.outcome_lost', { call_id: callId, ...causeFields(cause) })
    },
  }
}

/** What becomes of the record once it has left the process that made it. */
function publishedRecordEvents({ log, metrics, fleetLog }: EventsOptions) {
  return {
    auditPublishFailed(cause: unknown): void {
      metrics.auditPublishFailures.inc()
      log.write('warn', 'audit.publish_failed', causeFields(cause))
    },
    fleetLogAlarmed(alarm: FleetAlarm, { node, epoch }: { node: string; epoch: string }): void {
      fleetLog.alarmed(alarm)
      log.write('error', 'audit.fleet_alarm', { node, epoch, detail: alarm })
    },
    /** A name of a witness comes from the configuration. */
    witnessAnswered(witness: string, outcome: WitnessOutcome, cause?: unknown): void {
      fleetLog.witnessAnswered(outcome)
      if (outcome === 'cosigned') return
      const event = outcome === 'contradicted' ? 'audit.witness_contradicts' : 'audit.witness_failed'
      const level = outcome === 'contradicted' ? 'error' : 'warn'
      log.write(level, event, { detail: witness, ...(cause === undefined ? {} : causeFields(cause)) })
    },
    fleetLogFailed(cause: unknown): void {
      log.write('error', 'audit.fleet_failed', causeFields(cause))
    },
    exportFailed(name: string, cause: unknown): void {
      log.write('error', 'audit.export_failed', { detail: name, ...causeFields(cause) })
    },
    exportRecovered(name: string): void {
      log.write('info', 'audit.export_recovered', { detail: name })
    },
  }
}
