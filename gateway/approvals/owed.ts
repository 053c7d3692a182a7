import type { Decided } from '../exchange.ts'
import { assertNever } from '../lib/assert-never.ts'
import type { Obligation } from '../policy/decision.ts'
import { pass, refuse, type Verdict } from '../refusal.ts'

export type ApprovalObligation = Extract<Obligation, { type: 'approval' }>
export type ReviewObligation = Extract<Obligation, { type: 'post_review' }>

/** What people are asked: before the call, and about it afterwards. */
export interface Owed {
  readonly approval: ApprovalObligation | undefined
  readonly review: ReviewObligation | undefined
}

const NOTHING: Verdict<Owed> = pass({ approval: undefined, review: undefined })

/** What people are to be asked, if anything; a refusal where something is demanded that nobody can do. */
export function owedTo({ decision: { obligations } }: Pick<Decided, 'decision'>): Verdict<Owed> {
  if (obligations.length === 0) return NOTHING
  const owed: { approval?: ApprovalObligation; review?: ReviewObligation } = {}
  for (const obligation of obligations) {
    switch (obligation.type) {
      case 'approval':
        if (owed.approval !== undefined) return unsupported('two approvals are asked for at once')
        owed.approval = obligation
        break
      case 'post_review':
        if (owed.review !== undefined) return unsupported('two reviews are asked for at once')
        owed.review = obligation
        break
      // Limits are counted at admission, before policy is asked.
      case 'limit':
        return unsupported(`${obligation.id} asks for ${obligation.type}`)
      case 'cap_bytes':
      case 'notify':
      case 'redact':
        break
      default:
        assertNever(obligation)
    }
  }
  return pass({ approval: owed.approval, review: owed.review })
}

function unsupported(detail: string): Verdict<never> {
  return refuse('policy.obligation_unsupported', { detail })
}
