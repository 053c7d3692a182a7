import type { Progress } from '../exchange.ts'
import type { Outcome } from '../outcome.ts'
import type { Obligation } from '../policy/decision.ts'
import type { PolicyNotice } from './event.ts'

/** What an obligation of a call wants told; nothing where it wants something else. */
export function policyNotice(
  { arrival, caller, operation, decision }: Progress,
  { code, upstreamStatus }: Outcome,
  obligation: Obligation,
  atMs: number,
): PolicyNotice | undefined {
  if (obligation.type !== 'notify' || caller === undefined || operation === undefined) return undefined
  return {
    type: 'policy.notice',
    atMs,
    groups: obligation.properties.groups,
    obligation: obligation.id,
    callId: arrival.callId,
    tenant: caller.tenant,
    agent: caller.agent.id,
    principal: caller.principal.id,
    operation: operation.id,
    risk: decision?.risk ?? 0,
    outcome: code,
    upstreamStatus,
  }
}
