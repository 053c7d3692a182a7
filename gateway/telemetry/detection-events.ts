import { Counter, type Registry } from 'prom-client'
import type { Detection } from '../detections/detection.ts'
import { DETECTION_NAMES, ruleOf, type Severity } from '../detections/rules.ts'
import { printable, scrub } from '../lib/scrub.ts'
import { causeFields } from './call-line.ts'
import type { Log, LogLevel } from './log.ts'

const LEVELS = {
  info: 'info',
  warning: 'warn',
  error: 'error',
  critical: 'error',
} as const satisfies Record<Severity, LogLevel>

export type DetectionEvents = ReturnType<typeof createDetectionEvents>

/** What is counted and said of detections: the line is what a SIEM that reads the log gets. */
export function createDetectionEvents(log: Log, registry: Registry) {
  const raised = new Counter({
    name: 'toolgate_detections_total',
    help: 'What the rules of detections raised, by whether it was locked.',
    labelNames: ['rule', 'locked'],
    registers: [registry],
  })
  const lockFailures = new Counter({
    name: 'toolgate_detection_lock_failures_total',
    help: 'Locks that a detection was to set and could not.',
    registers: [registry],
  })
  // A series that appears with its first detection has no increase for it.
  for (const rule of DETECTION_NAMES) for (const locked of ['true', 'false']) raised.inc({ rule, locked }, 0)
  return {
    detectionRaised(detection: Detection): void {
      const { rule, severity, lock } = detection
      raised.inc({ rule, locked: String(lock !== undefined) })
      log.write(LEVELS[severity], 'detection.raised', detectionFields(detection))
    },
    detectionLockFailed({ id, rule }: Detection, cause: unknown): void {
      lockFailures.inc()
      log.write('error', 'detection.lock_failed', { detection: id, rule, ...causeFields(cause) })
    },
  }
}

function detectionFields(detection: Detection) {
  const { id, rule, seen, subject, count, suppressed, lock } = detection
  const { hypothesis, nextStep } = ruleOf(rule)
  const named = (name: string): string | undefined => (name === '' ? undefined : printable(name, 256))
  return {
    detection: id,
    rule,
    subject: `${subject.kind} ${printable(subject.name, 256)}`,
    agent: named(seen.agent),
    principal: named(seen.principal),
    tenant: named(seen.tenant),
    peer: named(seen.peer),
    operation: named(seen.operation),
    last_call: named(seen.callId),
    count,
    suppressed,
    detail: scrub(detection.detail, 256),
    hypothesis,
    next_step: nextStep,
    lock: lock && printable(`${lock.id} ${lock.scope}`, 512),
  }
}
