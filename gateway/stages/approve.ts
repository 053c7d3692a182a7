import type { Decided } from '../exchange.ts'
import { assertNever } from '../lib/assert-never.ts'
import type { Obligation } from '../policy/decision.ts'
import { pass, refuse } from '../refusal.ts'
import type { Refusal, Verdict } from '../refusal.ts'

/**
 * Proof that policy allowed this call and that nothing it demands beforehand is owed. Only the type leaves this file, and
 * the private member keeps look-alikes out, so a path that skips policy or approval does not compile.
 */
class Permit {
  readonly #call: Decided

  constructor(call: Decided) {
    this.#call = call
  }

  get call(): Decided {
    return this.#call
  }
}

export type { Permit }

/**
 * Lets a call go on whose obligations can be met: those of its answer are carried out by relay, those that tell people by
 * record. What nobody can carry out is a refusal: later it would be too late to find out.
 */
export function approve(decided: Decided): Verdict<Permit> {
  const { allow, obligations, reasons } = decided.decision
  if (!allow) return refuse('policy.denied', { reasons })
  const refusals = obligations.map(refusalOf).filter((refusal) => refusal !== undefined)
  // What nobody could ever meet comes first: an approval would be asked for in vain.
  const refusal = refusals.find(({ code }) => code === 'policy.obligation_unsupported') ?? refusals[0]
  if (refusal !== undefined) return { ok: false, refusal }
  return pass(new Permit(decided))
}

function refusalOf(obligation: Obligation): Refusal | undefined {
  switch (obligation.type) {
    case 'approval': {
      const { count, groups } = obligation.properties
      const detail = `${obligation.id} asks for ${count} of ${groups.join(', ')}`
      return { code: 'approval.required', detail }
    }
    case 'cap_bytes':
    case 'notify':
    case 'redact':
      return undefined
    // Limits are counted at admission, before policy is asked; a review afterwards needs somebody who is asked.
    case 'limit':
    case 'post_review':
      return { code: 'policy.obligation_unsupported', detail: `${obligation.id} asks for ${obligation.type}` }
    default:
      return assertNever(obligation)
  }
}
