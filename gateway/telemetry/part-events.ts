import type { Access } from '../catalog/connector.ts'
import type { FailureMode } from '../config/store-config.ts'
import type { Progress } from '../exchange.ts'
import type { Outcome } from '../outcome.ts'
import { printable, scrub } from '../lib/scrub.ts'
import type { Obligation } from '../policy/decision.ts'
import type { ObligationResult } from '../policy/obligation-result.ts'
import type { PolicyEvent } from '../policy/policy.ts'
import type { LimitKind } from '../store/admission-store.ts'
import { causeFields } from './call-line.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { PartMetrics } from './part-metrics.ts'
import { shadowEvents } from './shadow-events.ts'

export interface PartEventsOptions {
  readonly log: Log
  readonly metrics: Metrics
  readonly parts: PartMetrics
  readonly nowMs: () => number
}

export type PartEvents = ReturnType<typeof createPartEvents>

/** What the parts report beside calls, in the shapes that they report it in. */
export function createPartEvents(options: PartEventsOptions) {
  return {
    ...listenerEvents(options),
    ...upstreamEvents(options),
    limited: (kind: LimitKind, limit: string): void => options.parts.limitDenials.inc({ kind, limit }),
    policyEvent: policyEvents(options),
    ...shadowEvents(options),
    obligationEnded: obligationEvents(options),
    identity: identityEvents(options),
    store: storeEvents(options),
  }
}

function listenerEvents({ log, parts }: PartEventsOptions) {
  return {
    handshakeFailed(cause: Error, peerAddress: string): void {
      parts.handshakesFailed.inc()
      log.write('info', 'tls.handshake_failed', { peer: printable(peerAddress, 64), ...causeFields(cause) })
    },
    connectionDropped(): void {
      parts.connectionsDropped.inc()
    },
  }
}

function upstreamEvents({ log, parts }: PartEventsOptions) {
  return {
    repeated(connector: string): void {
      parts.upstreamRepeats.inc({ connector })
    },
    redirectFollowed(connector: string, host: string): void {
      parts.redirectsFollowed.inc({ connector })
      log.write('debug', 'upstream.redirect_followed', { connector, host: printable(host, 256) })
    },
    credentialChanged(connector: string, version: string, detail: string): void {
      const available = String(version !== '')
      parts.credentialsAvailable.inc({ connector, available })
      const level = version === '' ? 'error' : 'info'
      log.write(level, 'credential.changed', { connector, version, detail: scrub(detail, 256) })
    },
  }
}

const OVER_BUDGET_LOG_MS = 60_000

function policyEvents({ log, metrics, parts, nowMs }: PartEventsOptions) {
  let loggedAtMs = -Infinity
  const logOverBudget = (elapsedMs: number): void => {
    // A policy that is slow is slow at every call; how often, the metric tells.
    if (nowMs() - loggedAtMs < OVER_BUDGET_LOG_MS) return
    loggedAtMs = nowMs()
    log.write('warn', 'policy.over_budget', { duration_ms: elapsedMs })
  }
  return (event: PolicyEvent): void => {
    switch (event.type) {
      case 'activated':
        metrics.policyReloaded.set(Number(event.behind === 0))
        metrics.policyReloadedAt.set(nowMs() / 1_000)
        metrics.policyLoadSeconds.set(event.loadMs / 1_000)
        return log.write('info', 'policy.loaded', {
          policy_digest: event.digest,
          policy_revision: printable(event.revision, 128),
          bundles: event.bundles
            .map(({ name, revision }) => `${name} ${printable(revision, 128)}`)
            .join(', '),
          duration_ms: event.loadMs,
        })
      case 'rejected':
        metrics.policyReloaded.set(0)
        parts.policyRejections.inc({ problem: event.problem })
        return log.write('error', 'policy.rejected', {
          bundle: event.bundle,
          detail: event.problem,
          ...causeFields(event.error),
        })
      case 'confirmed':
        metrics.policyReloaded.set(Number(event.behind === 0))
        return log.write('info', 'policy.confirmed', { bundle: event.bundle })
      case 'not_kept':
        return log.write('error', 'policy.not_kept', { bundle: event.bundle, ...causeFields(event.error) })
      case 'instance_failed':
        parts.policyInstances.inc({ cause: 'failed' })
        return log.write('error', 'policy.instance_failed', causeFields(event.cause))
      case 'instance_recycled':
        return parts.policyInstances.inc({ cause: 'memory' })
      case 'over_budget':
        parts.policyOverBudget.inc()
        return logOverBudget(event.elapsedMs)
      case 'thread_ended':
        parts.policyThreads.inc()
        return log.write('error', 'policy.thread_ended', causeFields(event.cause))
    }
  }
}

/** Beside the targets of `notify`, the line tells whoever reads the log. */
function obligationEvents({ log, parts }: PartEventsOptions) {
  return (call: Progress, outcome: Outcome, obligation: Obligation, result: ObligationResult): void => {
    parts.obligations.inc({ type: obligation.type, result })
    if (obligation.type !== 'notify') return
    log.write('info', 'policy.notice', {
      call_id: call.arrival.callId,
      obligation: printable(obligation.id, 64),
      groups: obligation.properties.groups.map((group) => printable(group, 256)).join(' '),
      agent: call.caller && printable(call.caller.agent.id, 256),
      principal: call.caller && printable(call.caller.principal.id, 256),
      tenant: call.caller && printable(call.caller.tenant, 256),
      operation: call.operation?.id,
      risk: call.decision?.risk,
      reason: outcome.code,
      upstream_status: outcome.upstreamStatus === 0 ? undefined : outcome.upstreamStatus,
    })
  }
}

function identityEvents({ log, metrics, parts }: PartEventsOptions) {
  const lookups = { hit: metrics.identityCache.series('hit'), miss: metrics.identityCache.series('miss') }
  return {
    keysLoaded({ issuer }: { issuer: string }): void {
      metrics.keyRefreshes.inc({ result: 'success' })
      log.write('debug', 'identity.keys_refreshed', { issuer: printable(issuer, 256) })
    },
    keysFailed({ issuer, cause }: { issuer: string; cause: unknown }): void {
      metrics.keyRefreshes.inc({ result: 'failure' })
      log.write('warn', 'identity.keys_failed', { issuer: printable(issuer, 256), ...causeFields(cause) })
    },
    tokenLookedUp(result: 'hit' | 'miss'): void {
      lookups[result].inc()
    },
    unboundTokenAccepted(): void {
      parts.unboundTokens.inc()
    },
  }
}

function storeEvents({ log, metrics, parts }: PartEventsOptions) {
  return {
    stateChanged(state: 'up' | 'down', cause: unknown): void {
      log.write(state === 'up' ? 'info' : 'warn', 'store.state', { state, ...causeFields(cause) })
    },
    fellBack(mode: FailureMode, access: Access): void {
      parts.storeFallbacks.inc({ mode, access })
    },
    replayUnshared(): void {
      parts.storeReplaysUnshared.inc()
    },
    connectionFailed(cause: Error): void {
      metrics.storeErrors.inc()
      log.write('debug', 'store.connection_failed', causeFields(cause))
    },
    spendEnded(end: 'kept' | 'released' | 'unavailable'): void {
      parts.spendReservations.inc({ end })
    },
    settlementLost(cause: unknown): void {
      parts.storeSettlementsLost.inc()
      log.write('debug', 'store.settlement_lost', causeFields(cause))
    },
  }
}
