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
    // An approval came before the call; nobody is permitted with one of the last two.
    case 'approval':
    case 'notify':
    case 'limit':
    case 'post_review':
      return 'met'
    default:
      return assertNever(type)
  }
}
