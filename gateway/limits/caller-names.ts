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

/** Encodes who calls, for the keys of counters. */
export function createCallerNames(): CallerNames {
  const issuerPart = issuerParts()
  return ({ tenant, agent, principal }) => {
    const issuer = issuerPart(agent.issuer)
    return {
      tag: `{${keyPart(tenant)}}`,
      agentId: agent.id,
      agent: `${issuer}:${keyPart(agent.id)}`,
      // Two issuers may give the same `sub` to two people.
      principal: `${issuer}:${keyPart(principal.id)}`,
    }
  }
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
