import type { Caller } from '../caller.ts'
import { keyPart } from './key-part.ts'

/** The proven names of one call, encoded once and used by every key. */
export interface EncodedNames {
  /** Hash tag `{tenant}`. */
  readonly tag: string
  readonly agentId: string
  /** Issuer and agent. */
  readonly agent: string
  readonly principal: string
}

export type CallerNames = (caller: Caller) => EncodedNames

const MOST_CACHED_PARTS = 1_024

/** Names with whose they are. */
interface KnownNames {
  readonly tenant: string
  readonly issuer: string
  readonly principalId: string
  readonly names: EncodedNames
}

/**
 * Encodes who calls, for the keys of counters. The calls of one token have one and the same answer: it is kept with the
 * principal that was read from the token, for as long as that is held, and only for exactly these names.
 */
export function createCallerNames(): CallerNames {
  const issuerPart = issuerParts()
  const known = new WeakMap<Caller['principal'], KnownNames>()
  return (caller) => {
    const held = known.get(caller.principal)
    if (held !== undefined && isOf(held, caller)) return held.names
    const { tenant, agent, principal } = caller
    const issuer = issuerPart(agent.issuer)
    const names = {
      tag: `{${keyPart(tenant)}}`,
      agentId: agent.id,
      agent: `${issuer}:${keyPart(agent.id)}`,
      // Two issuers may give the same `sub` to two people.
      principal: `${issuer}:${keyPart(principal.id)}`,
    }
    known.set(principal, { tenant, issuer: agent.issuer, principalId: principal.id, names })
    return names
  }
}

function isOf({ tenant, issuer, principalId, names }: KnownNames, caller: Caller): boolean {
  return (
    names.agentId === caller.agent.id &&
    principalId === caller.principal.id &&
    tenant === caller.tenant &&
    issuer === caller.agent.issuer
  )
}

/** Encodes issuers, of which there are few; the bound only says that nobody's names can grow this map. */
function issuerParts(): (issuer: string) => string {
  const parts = new Map<string, string>()
  return (issuer) => {
    const known = parts.get(issuer)
    if (known !== undefined) return known
    if (parts.size >= MOST_CACHED_PARTS) parts.clear()
    const made = keyPart(issuer)
    parts.set(issuer, made)
    return made
  }
}
