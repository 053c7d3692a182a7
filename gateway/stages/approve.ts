import type { Decided } from '../exchange.ts'
import { assertNever } from '../lib/assert-never.ts'
import type { Obligation } from '../policy/decision.ts'
import { pass, refuse } from '../refusal.ts'
import type { Refusal, Verdict } from '../refusal.ts'

/**
 * Proof that policy allowed this call and that nothing it demands is owed. Only the type leaves this file, and
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

/** Carries out what policy demands before a call goes on; what cannot be carried out is a refusal. */
export function approve(decided: Decided): Verdict<Permit> {
  const { allow, obligations, reasons } = decided.decision
  if (!allow) return refuse('policy.denied', { reasons })
  const refusals = obligations.map(refusalOf)
  // What nobody could ever meet comes first: an approval would be asked for in vain.
  const refusal = refusals.find(({ code }) => code === 'policy.obligation_unsupported') ?? refusals[0]
  if (refusal !== undefined) return { ok: false, refusal }
  return pass(new Permit(decided))
}

function refusalOf(obligation: Obligation): Refusal {
  switch (obligation.type) {
    case 'approval': {
      const { count, groups } = obligation.properties
      const detail = `${obligation.id} asks for ${count} of ${groups.join(', ')}`
      return { code: 'approval.required', detail }
    }
    case 'cap_bytes':
    case 'limit':
    case 'notify':
    case 'post_review':
    case 'redact':
      return { code: 'policy.obligation_unsupported', detail: `${obligation.id} asks for ${obligation.type}` }
    default:
      return assertNever(obligation)
  }
}
