import { isDetectionName, ruleOf } from '../../detections/rules.ts'
import { VERSION } from '../../version.ts'
import type { DetectionEntry } from '../change-entry.ts'

/** Detection Finding of OCSF; ocsf-2004.schema.json says which members are used, and every event is tested against it. */
const CLASS_UID = 2004
const CATEGORY_UID = 2
const CREATE = 1
const NEW = 1
/** Of an analytic: a rule, as opposed to what has learned. */
const RULE = 1
const OCSF_VERSION = '1.8.0'

const SEVERITY_IDS = { info: 1, warning: 3, error: 4, critical: 5 } as const satisfies Record<
  DetectionEntry['severity'],
  number
>

/** A detection as an OCSF event; `uid` is that of its entry. */
export function ocsfDetection(entry: DetectionEntry, uid: string): object {
  const timeMs = Date.parse(entry.time)
  // What a later gateway looks out for has words that this one does not know.
  const rule = isDetectionName(entry.rule) ? ruleOf(entry.rule) : undefined
  return {
    activity_id: CREATE,
    activity_name: 'Create',
    category_uid: CATEGORY_UID,
    class_uid: CLASS_UID,
    type_uid: CLASS_UID * 100 + CREATE,
    time: timeMs,
    start_time: timeMs - entry.window_ms,
    end_time: timeMs,
    count: entry.count,
    severity_id: SEVERITY_IDS[entry.severity],
    status_id: NEW,
    is_alert: entry.severity !== 'info',
    message: entry.detail,
    metadata: {
      version: OCSF_VERSION,
      uid,
      correlation_uid: entry.last_call ?? entry.id,
      log_name: 'toolgate.audit',
      product: { name: 'Toolgate', vendor_name: 'Toolgate', version: VERSION },
    },
    finding_info: {
      uid: entry.id,
      title: rule?.title ?? entry.rule,
      created_time: timeMs,
      ...(rule && { desc: rule.hypothesis }),
      types: [entry.rule],
      analytic: { type_id: RULE, uid: entry.rule, name: entry.rule },
    },
    ...(rule && { remediation: { desc: rule.nextStep } }),
    evidences: [evidenceIn(entry)],
    unmapped: {
      toolgate: {
        subject: entry.subject,
        suppressed: entry.suppressed,
        ...(entry.lock && { lock: entry.lock }),
      },
    },
  }
}

function evidenceIn({
  agent,
  last_call: call,
  operation,
  peer,
  principal,
  subject,
  tenant,
}: DetectionEntry): object {
  const org = tenant === undefined ? {} : { org: { uid: tenant } }
  return {
    actor: {
      ...(principal !== undefined && { user: { uid: principal, ...org } }),
      // An address is nobody in particular, whatever name it used.
      ...(subject.kind === 'peer' ? { app_name: 'unknown' } : { app_uid: agent ?? subject.name }),
    },
    api: { operation: operation ?? 'unknown', ...(call !== undefined && { request: { uid: call } }) },
    ...(peer !== undefined && { src_endpoint: { ip: peer } }),
  }
}
