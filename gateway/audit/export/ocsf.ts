import { assertNever } from '../../lib/assert-never.ts'
import { VERSION } from '../../version.ts'
import { type CallRecord, mainEntry } from '../call-record.ts'
import type { DecisionEntry, OutcomeEntry } from '../entry.ts'

/** API Activity of OCSF; ocsf-6003.schema.json says which members are used, and is what every event is tested against. */
const CLASS_UID = 6003
const CATEGORY_UID = 6
const OCSF_VERSION = '1.8.0'

interface OcsfCall extends Pick<CallRecord, 'decision' | 'outcome'> {
  readonly found: Pick<CallRecord['found'], 'call' | 'timeMs' | 'operation' | 'decision'>
}

/**
 * One call as an OCSF event with the profile `security_control`; `undefined` when its entries have been pruned. A call
 * that has an event for each of its entries needs ids for these, `uid`.
 */
export function ocsfEvent(record: OcsfCall, uid?: string): object | undefined {
  const { found, outcome } = record
  const entry = mainEntry(record)
  if (entry === undefined) return undefined
  const activity = activityOf(entry)
  return {
    activity_id: activity.id,
    activity_name: activity.name,
    category_uid: CATEGORY_UID,
    class_uid: CLASS_UID,
    type_uid: CLASS_UID * 100 + activity.id,
    time: found.timeMs,
    severity_id: found.decision === 'allow' ? 1 : 2,
    ...verdictOf(record),
    ...(outcome?.ms !== undefined && { duration: Math.round(outcome.ms) }),
    metadata: {
      version: OCSF_VERSION,
      uid: uid ?? found.call,
      ...(uid !== undefined && { correlation_uid: found.call }),
      log_name: 'toolgate.audit',
      product: { name: 'Toolgate', vendor_name: 'Toolgate', version: VERSION },
      profiles: ['security_control'],
    },
    actor: actorOf(entry),
    api: {
      operation: found.operation || 'unknown',
      ...(entry.what && { service: { name: entry.what.connector } }),
      request: { uid: found.call },
      ...(outcome && { response: { code: outcome.status } }),
    },
    src_endpoint: endpointOf(entry),
    ...(entry.what && { http_request: { http_method: entry.what.method, uid: found.call } }),
    ...(outcome && outcome.status !== 0 && { http_response: { code: outcome.status } }),
    resources: resourcesOf(entry),
    ...(entry.policy && { policy: { uid: entry.policy.digest, version: entry.policy.revision } }),
    ...(entry.risk !== undefined && { risk_score: entry.risk }),
    unmapped: unmappedOf(record, entry),
  }
}

function activityOf({ what }: DecisionEntry | OutcomeEntry): { id: number; name: string } {
  if (what === undefined) return { id: 0, name: 'Unknown' }
  switch (what.access) {
    case 'read':
      return { id: 2, name: 'Read' }
    case 'execute':
      return { id: 99, name: 'Execute' }
    case 'write':
      if (what.method === 'DELETE') return { id: 4, name: 'Delete' }
      return what.method === 'POST' ? { id: 1, name: 'Create' } : { id: 3, name: 'Update' }
    default:
      return assertNever(what.access)
  }
}

/** `action_id` and `disposition_id` say what the gateway did, `status_id` how the call ended. */
function verdictOf({ found, outcome }: OcsfCall): object {
  const allowed = found.decision === 'allow'
  // 1 Allowed, 2 Blocked, 14 Delayed
  const disposition = allowed ? 1 : found.decision === 'hold' ? 14 : 2
  const succeeded = allowed && outcome?.outcome === 'allowed' && outcome.status < 400
  return {
    action_id: allowed ? 1 : 2,
    disposition_id: disposition,
    status_id: outcome === undefined || outcome.outcome === 'unknown' ? 0 : succeeded ? 1 : 2,
    ...(outcome && { status_code: outcome.outcome }),
    ...(outcome?.detail !== undefined && outcome.detail !== '' && { status_detail: outcome.detail }),
  }
}

function actorOf({ who }: DecisionEntry | OutcomeEntry): object {
  if (who === undefined) return { app_name: 'unknown' }
  return {
    app_uid: who.agent,
    user: { uid: who.principal, org: { uid: who.tenant } },
    session: { uid: who.token, issuer: who.issuer },
  }
}

function endpointOf(entry: DecisionEntry | OutcomeEntry): object {
  if (entry.type === 'outcome' && entry.peer !== undefined) return { ip: entry.peer }
  return { svc_name: entry.who?.agent ?? 'unknown' }
}

function resourcesOf({ resource }: DecisionEntry | OutcomeEntry): object[] {
  if (resource === undefined) return []
  const { project, repository, channel, account } = resource
  return Object.entries({ project, repository, channel, account }).flatMap(([type, uid]) =>
    uid === '' ? [] : [{ type, uid }],
  )
}

function unmappedOf({ found }: OcsfCall, entry: DecisionEntry | OutcomeEntry): object {
  const { reasons = [], declared, environment, disclosed } = entry
  return {
    toolgate: {
      decision: found.decision,
      reasons: reasons.map(({ code, rule }) => ({ code, rule })),
      task: declared?.task ?? '',
      ticket: declared?.ticket ?? '',
      environment: environment ?? 'unknown',
      commitments: disclosed ?? {},
    },
  }
}
