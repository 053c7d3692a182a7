import type { PolicyInput } from './input.ts'

export type WhoCalls = Pick<
  PolicyInput,
  'v' | 'agent' | 'principal' | 'tenant' | 'scopes' | 'authorization_details'
>

interface Known {
  readonly who: WhoCalls
  readonly text: string
}

/** By objects that live as long as the token, or the catalogue, that they were read from. */
const callers = new WeakMap<PolicyInput['principal'], Known>()
const operations = new WeakMap<PolicyInput['operation'], string>()

/**
 * How the JSON of an input begins: who calls, without the closing brace. The same for all calls with a token, so it is
 * written once for them; kept only of what nobody can change any more, and used only where all of it is the same.
 */
export function callerText({
  v,
  agent,
  principal,
  tenant,
  scopes,
  authorization_details,
}: PolicyInput): string {
  const known = callers.get(principal)
  const who = { v, agent, principal, tenant, scopes, authorization_details }
  if (known !== undefined && isSame(known.who, who)) return known.text
  const text = JSON.stringify(who).slice(0, -1)
  if ([principal, scopes, authorization_details].every(isConstant)) {
    callers.set(principal, { who: { ...who, agent: { ...agent } }, text })
  }
  return text
}

/** JSON of an operation, written once for all calls to it. */
export function operationText(operation: PolicyInput['operation']): string {
  const known = operations.get(operation)
  if (known !== undefined) return known
  const text = JSON.stringify(operation)
  if (isConstant(operation)) operations.set(operation, text)
  return text
}

function isSame(one: WhoCalls, other: WhoCalls): boolean {
  return (
    one.v === other.v &&
    one.tenant === other.tenant &&
    one.scopes === other.scopes &&
    one.authorization_details === other.authorization_details &&
    one.agent.id === other.agent.id &&
    one.agent.issuer === other.agent.issuer &&
    one.agent.binding === other.agent.binding &&
    one.agent.key === other.agent.key
  )
}

function isConstant(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  return Object.isFrozen(value) && Object.values(value).every(isConstant)
}
