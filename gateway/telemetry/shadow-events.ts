import { printable } from '../lib/scrub.ts'
import { effectOf } from '../policy/difference.ts'
import type { ShadowDifference, ShadowVerdict } from '../policy/shadow-difference.ts'
import type { ShadowEvent } from '../policy/shadow.ts'
import { causeFields } from './call-line.ts'
import type { Log, LogFields } from './log.ts'
import type { PartMetrics } from './part-metrics.ts'

interface Sinks {
  readonly log: Log
  readonly parts: PartMetrics
}

/** What is heard of a shadow policy. */
export function shadowEvents(sinks: Sinks) {
  return {
    shadowEvent: shadowEvent(sinks),
    shadowUnrecorded: (callId: string, cause: unknown): void =>
      sinks.log.write('warn', 'policy.shadow_unrecorded', { call_id: callId, ...causeFields(cause) }),
  }
}

function shadowEvent({ log, parts }: Sinks): (event: ShadowEvent) => void {
  return (event) => {
    switch (event.type) {
      case 'activated':
        return log.write('info', 'policy.shadow_loaded', {
          shadow_digest: event.digest,
          shadow_revision: printable(event.revision, 128),
          bundles: event.bundles
            .map(({ name, revision }) => `${name} ${printable(revision, 128)}`)
            .join(', '),
          duration_ms: event.loadMs,
        })
      case 'rejected':
        parts.shadowRejections.inc({ problem: event.problem })
        return log.write('warn', 'policy.shadow_rejected', {
          bundle: event.bundle,
          detail: event.problem,
          ...causeFields(event.error),
        })
      case 'decided':
        return parts.shadowCalls.inc({ result: event.result })
      case 'differed':
        return log.write('info', 'policy.shadow_differs', differenceFields(event.difference))
      case 'thread_ended':
        return log.write('warn', 'policy.shadow_thread_ended', causeFields(event.cause))
    }
  }
}

function differenceFields(difference: ShadowDifference): LogFields {
  const { callId, kind, live, shadow, rulesAdded, rulesDropped } = difference
  return {
    call_id: callId,
    detail: kind,
    live_effect: effectIn(live),
    shadow_effect: effectIn(shadow),
    rules_added: printable(rulesAdded.join(' '), 512),
    rules_dropped: printable(rulesDropped.join(' '), 512),
    policy_revision: printable(live.revision, 128),
    shadow_revision: printable(shadow.revision, 128),
  }
}

function effectIn({ verdict }: ShadowVerdict): string {
  return verdict.ok ? effectOf(verdict.value) : verdict.refusal.code
}
