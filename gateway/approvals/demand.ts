import type { Caller } from '../caller.ts'
import type { ApprovalsConfig } from '../config/approvals-config.ts'
import type { ApprovalDemand } from './approval.ts'

/** What an obligation says of who is asked; a review has no count, and nobody else to go to. */
export interface Asked {
  readonly groups: readonly string[]
  readonly count?: number
  readonly ttlSeconds: number
  readonly escalationGroup?: string
  readonly escalateAfterSeconds?: number
  /** Owners of the agent, and whoever else may not answer, beside the caller's own names. */
  readonly excluded: readonly string[]
}

/** An obligation as a demand: within the bounds of the configuration, and with everybody excluded who is behind the call. */
export function demandOf(
  asked: Asked,
  { agent, principal }: Pick<Caller, 'agent' | 'principal'>,
  config: Pick<ApprovalsConfig, 'answerWithinMs' | 'useWithinMs' | 'excludePrincipalGroups'>,
): ApprovalDemand {
  const { min, max } = config.answerWithinMs
  return {
    groups: asked.groups,
    count: asked.count ?? 1,
    escalationGroup: asked.escalationGroup ?? '',
    escalateAfterMs: (asked.escalateAfterSeconds ?? 0) * 1_000,
    answerWithinMs: Math.min(Math.max(asked.ttlSeconds * 1_000, min), max),
    useWithinMs: config.useWithinMs,
    excluded: [...new Set([principal.id, ...principal.act, agent.id, ...asked.excluded])].filter(
      (name) => name !== '',
    ),
    excludedGroups: config.excludePrincipalGroups ? principal.groups : [],
  }
}
