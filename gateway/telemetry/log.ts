import { once } from 'node:events'
import type { ApprovalEventKind } from '../approvals/approval-event.ts'
import { destination } from 'pino'
import { isoTime } from '../lib/iso-time.ts'
import type { TelemetryConfig } from '../config/config.ts'
import { GatheredLines } from './gathered-lines.ts'

/** Stable names; a line's `event` is one of these and nothing else. */
type LogEvent =
  | ReportEvent
  | 'call'
  | 'request.unparsed'
  | 'gateway.started'
  | 'gateway.draining'
  | 'gateway.stopped'
  | 'gateway.fault'
  | 'config.loaded'
  | 'config.rejected'
  | 'policy.loaded'
  | 'policy.rejected'
  | 'policy.confirmed'
  | 'policy.not_kept'
  | 'policy.shadow_loaded'
  | 'policy.shadow_rejected'
  | 'policy.shadow_differs'
  | 'policy.shadow_thread_ended'
  | 'policy.shadow_unrecorded'
  | 'policy.notice'
  | 'notify.failed'
  | 'notify.recovered'
  | 'notify.lost'
  | 'notify.untold'
  | 'channel.refused'
  | 'channel.failed'
  | `lock.${'set' | 'released' | 'release_failed' | 'release_requested' | 'expired' | 'restored'}`
  | `approval.${ApprovalEventKind}`
  | 'approval.full'
  | 'approval.store_state'
  | 'approval.store_failed'
  | 'approval.unwitnessed'
  | 'lock.state'
  | 'lock.store_failed'
  | 'identity.keys_refreshed'
  | 'identity.keys_failed'
  | 'identity.unbound_tokens_allowed'
  | 'policy.instance_failed'
  | 'policy.over_budget'
  | 'policy.thread_ended'
  | 'store.state'
  | 'store.connection_failed'
  | 'store.settlement_lost'
  | 'credential.changed'
  | 'upstream.redirect_followed'
  | 'tls.handshake_failed'
  | 'breaker.state'
  | 'breaker.policy_opened'
  | 'audit.recovered'
  | 'detection.raised'
  | 'detection.lock_failed'
  | 'audit.failed'
  | 'audit.disclosures_lost'
  | 'audit.publish_failed'
  | 'audit.fleet_alarm'
  | 'audit.witness_contradicts'
  | 'audit.witness_failed'
  | 'audit.fleet_failed'
  | 'audit.outcome_lost'
  | 'audit.export_failed'
  | 'audit.export_recovered'

/** Of the decision log and the status reports. */
type ReportEvent =
  | 'decision_log.overflowed'
  | 'decision_log.event_too_large'
  | 'decision_log.cache_dropped'
  | 'decision_log.damaged'
  | 'decision_log.encoding_failed'
  | 'decision_log.rule_failed'
  | 'decision_log.recovered'
  | 'decision_log.disk_failed'
  | 'decision_log.disk_works_again'
  | 'decision_log.upload_failed'
  | 'decision_log.uploads_again'
  | 'status_report.failed'

export type LogLevel = TelemetryConfig['logLevel']

type Scalar = string | number | boolean

/**
 * Every key that a line may have, and no other: flat, and none of them a place for headers, bodies or tokens. Units
 * are in the names.
 */
export type LogFields = Readonly<Partial<Record<LogKey, Scalar | undefined>>>

type LogKey =
  | 'call_id'
  | 'trace_id'
  | 'peer'
  | 'agent'
  | 'principal'
  | 'tenant'
  | 'binding'
  | 'connector'
  | 'operation'
  | 'access'
  | 'method'
  | 'decision'
  | 'reason'
  | 'policy_reasons'
  | 'policy_reported'
  | 'obligation'
  | 'detection'
  | 'last_call'
  | 'rule'
  | 'subject'
  | 'count'
  | 'suppressed'
  | 'hypothesis'
  | 'next_step'
  | 'lock'
  | 'found_in_request'
  | 'found_in_answer'
  | 'groups'
  | 'status'
  | 'upstream_status'
  | 'risk'
  | 'duration_ms'
  | 'upstream_ms'
  | 'reply_bytes'
  | 'detail'
  | 'cause'
  | 'stack'
  | 'policy_digest'
  | 'policy_revision'
  | 'bundle'
  | 'bundles'
  | 'shadow_digest'
  | 'shadow_revision'
  | 'live_effect'
  | 'shadow_effect'
  | 'rules_added'
  | 'rules_dropped'
  | 'issuer'
  | 'approval'
  | 'lock_epoch'
  | 'scope'
  | 'actor'
  | 'state'
  | 'host'
  | 'port'
  | 'version'
  | 'node'
  | 'epoch'
  | 'sealed'
  | 'torn_bytes'
  | 'calls'
  | 'lost_bytes'
  | 'events'
  | 'in_doubt_calls'
  | 'lost_lines'
  | 'target'
  | 'result'
  | 'notice'
  | 'channel'

export interface Log extends AsyncDisposable {
  write(level: LogLevel, event: LogEvent, fields: LogFields): void
  /** Lines that could not be written since the start. */
  lostLines(): number
  /** Opens the file anew, after it was rotated away; nothing for stdout and stderr. */
  reopen(): void
}

/** Bytes of lines that may wait for a slow reader before they are dropped: a stuck pipe must not fill the memory. */
const BACKLOG_LIMIT_BYTES = 16_777_216

/** Opens the destination; rejects when a file cannot be opened. Afterwards nothing here ever throws. */
export async function openLog({ logLevel, logDestination }: TelemetryConfig): Promise<Log> {
  const file = logDestination === 'stdout' || logDestination === 'stderr' ? undefined : logDestination
  const stream = destination({
    dest: file ?? (logDestination === 'stderr' ? 2 : 1),
    sync: false,
    mkdir: true,
    maxLength: BACKLOG_LIMIT_BYTES,
  })
  await once(stream, 'ready')
  let lostLines = 0
  const lose = (lines: string): void => {
    lostLines += lines.split('\n').length - 1
  }
  // Without a listener of our own, a full disk or a reader that went away would end the process.
  stream.on('error', () => lose('\n'))
  stream.on('drop', lose)
  const gathered = new GatheredLines((lines) => {
    try {
      stream.write(lines)
    } catch {
      // It has been closed.
      lose(lines)
    }
  })
  return {
    write: (level, event, fields) => {
      if (RANKS[level] < RANKS[logLevel]) return
      gathered.add(lineOf(level, event, fields))
      // What an operator should look at may be the last that this process says.
      if (RANKS[level] > RANKS.info) gathered.flush()
    },
    lostLines: () => lostLines,
    reopen: () => {
      gathered.flush()
      if (file !== undefined) stream.reopen()
    },
    async [Symbol.asyncDispose]() {
      gathered[Symbol.dispose]()
      await new Promise<void>((resolve) => {
        stream.flush(() => resolve())
      })
      if (file !== undefined) stream.end()
    },
  }
}

const RANKS = { debug: 0, info: 1, warn: 2, error: 3 } as const satisfies Record<LogLevel, number>

/**
 * A line as the logger of pino lays it out, which asks of each field of each line whether it is serialised, redacted or
 * nested in another; here all are flat, and one call makes text of all.
 */
export function lineOf(level: LogLevel, event: LogEvent, fields: LogFields): string {
  const members = JSON.stringify(fields).slice(1, -1)
  const rest = members === '' ? '' : `,${members}`
  return `{"level":"${level}","time":"${isoTime(Date.now())}"${rest},"event":"${event}"}\n`
}
