import { printable } from '../lib/scrub.ts'
import { effectOf } from '../policy/difference.ts'
import type { ShadowDifference, ShadowVerdict } from '../policy/shadow-difference.ts'
import { reasonFields } from './call-fields.ts'
import { isoTime } from '../lib/iso-time.ts'
import type { ShadowEntry } from './entry.ts'
import type { VerdictFields } from './entry-fields.ts'

const RULES_LIMIT = 32
const OBLIGATIONS_LIMIT = 16

/** What two policies made of one call, where that is not the same. */
export function shadowEntry(difference: ShadowDifference, nowMs: number): ShadowEntry {
  const { callId, kind, live, shadow, rulesAdded, rulesDropped } = difference
  return {
    call: callId,
    kind,
    live: verdictFields(live),
    rules_added: rulesAdded.slice(0, RULES_LIMIT).map((rule) => printable(rule, 32)),
    rules_dropped: rulesDropped.slice(0, RULES_LIMIT).map((rule) => printable(rule, 32)),
    shadow: verdictFields(shadow),
    time: isoTime(nowMs),
    type: 'shadow',
    v: 1,
  }
}

function verdictFields({ verdict, digest, revision: untrustedRevision }: ShadowVerdict): VerdictFields {
  const revision = printable(untrustedRevision, 128)
  if (!verdict.ok) return { digest, effect: 'error', error: verdict.refusal.code, revision }
  const { obligations, reasons, reported, risk } = verdict.value
  return {
    digest,
    effect: effectOf(verdict.value),
    obligations: obligations.slice(0, OBLIGATIONS_LIMIT).map(({ id }) => printable(id, 64)),
    reasons: reasonFields(reasons),
    ...(reported.length > 0 && { reported: reasonFields(reported) }),
    revision,
    risk,
  }
}
