import type { Detection } from '../detections/detection.ts'
import { ruleOf } from '../detections/rules.ts'
import { printable } from '../lib/scrub.ts'
import { detailField } from './call-fields.ts'
import { isoTime } from '../lib/iso-time.ts'
import type { DetectionEntry } from './change-entry.ts'

const NAME_LIMIT = 256

/** What was detected, and whom it is about. */
export function detectionEntry(detection: Detection): DetectionEntry {
  const { seen, subject, lock } = detection
  const { hypothesis, nextStep } = ruleOf(detection.rule)
  return {
    ...named('agent', seen.agent),
    count: detection.count,
    detail: detailField(detection.detail),
    hypothesis,
    id: detection.id,
    ...named('last_call', seen.callId),
    ...(lock && { lock: { id: lock.id, scope: printable(lock.scope, 1_024) } }),
    next_step: nextStep,
    ...named('operation', seen.operation),
    ...named('peer', seen.peer),
    ...named('principal', seen.principal),
    rule: detection.rule,
    severity: detection.severity,
    subject: {
      issuer: printable(subject.issuer, NAME_LIMIT),
      kind: subject.kind,
      name: printable(subject.name, NAME_LIMIT),
      tenant: printable(subject.tenant, NAME_LIMIT),
    },
    suppressed: detection.suppressed,
    ...named('tenant', seen.tenant),
    time: isoTime(detection.atMs),
    type: 'detection',
    v: 1,
    window_ms: detection.windowMs,
  }
}

function named<Name extends string>(name: Name, value: string): Partial<Record<Name, string>> {
  return value === '' ? {} : ({ [name]: printable(value, NAME_LIMIT) } as Record<Name, string>)
}
