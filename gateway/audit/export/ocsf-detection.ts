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

/** A detection as an OCSF event; `uid` is that of its entry where other entries have events of their own, too. */
export function ocsfDetection(entry: DetectionEntry, uid = entry.id): object {
  const timeMs = Date.parse(entry.time)
  const { hypothesis, next_step: nextStep } = entry
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
      title: titleOf(entry),
      created_time: timeMs,
      ...(hypothesis !== undefined && { desc: hypothesis }),
      types: [entry.rule],
      analytic: { type_id: RULE, uid: entry.rule, name: entry.rule },
    },
    ...(nextStep !== undefined && { remediation: { desc: nextStep } }),
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

/** What a later gateway looks out for has a title that this one does not know. */
function titleOf({ rule }: DetectionEntry): string {
  return isDetectionName(rule) ? ruleOf(rule).title : rule
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
