import type { Outcome } from '../outcome.ts'
import { assertNever } from '../lib/assert-never.ts'
import type { Obligation } from './decision.ts'

/**
 * What became of an obligation of a call that was sent: carried out; the answer was withheld, because it could not be; or no
 * answer came that it could have been about.
 */
export type ObligationResult = 'met' | 'withheld' | 'moot'

export function obligationResult({ type }: Obligation, { code, redacted }: Outcome): ObligationResult {
  switch (type) {
    case 'cap_bytes':
    case 'redact':
      if (code === 'policy.answer_withheld') return 'withheld'
      return redacted === undefined ? 'moot' : 'met'
    // People were asked before the call was made, about this one or about what came of it; nobody is permitted with `limit`.
    case 'approval':
    case 'notify':
    case 'limit':
    case 'post_review':
      return 'met'
    default:
      return assertNever(type)
  }
}
