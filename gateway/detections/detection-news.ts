import type { DetectionNews } from '../notify/event.ts'
import type { Detection } from './detection.ts'
import { ruleOf } from './rules.ts'

/** What people are told of a detection. */
export function detectionNews(detection: Detection): DetectionNews {
  const { id, rule, severity, seen, subject, lock, atMs } = detection
  const { hypothesis, nextStep } = ruleOf(rule)
  const { tenant, principal, operation, callId } = seen
  return {
    type: 'detection.raised',
    atMs,
    detection: {
      id,
      kind: rule,
      severity,
      tenant,
      // Of an address nothing is proven: the name that it used may be that of whom it attacks.
      agent: subject.kind === 'agent' ? seen.agent : `${subject.kind} ${subject.name}`,
      principal,
      operation,
      callId,
      hypothesis,
      nextStep,
      lock: lock?.id ?? '',
    },
  }
}
