import type { ReadCall } from '../exchange.ts'
import type { PolicyInput, Signals } from './input.ts'
import type { PolicyTime } from './calendar.ts'

/**
 * Presents a call to the rules: version 1 of the input, DESIGN §5. Every fact comes from the call and from the
 * time given, so the same call at the same time is always the same input.
 */
export function buildInput(call: ReadCall, signals: Signals, time: PolicyTime): PolicyInput {
  const { caller, operation, history, resource } = call
  const { agent, principal } = caller
  return {
    v: 1,
    agent: { id: agent.id, issuer: agent.issuer, binding: agent.binding, key: agent.key },
    principal: {
      id: principal.id,
      groups: principal.groups,
      device_compliant: principal.deviceCompliant,
      act: principal.act,
    },
    tenant: caller.tenant,
    scopes: caller.scopes,
    authorization_details: caller.authorizationDetails,
    operation: {
      id: operation.id,
      connector: operation.connector,
      access: operation.access,
      risk: operation.risk,
      data_class: operation.dataClass,
      reversible: operation.reversible,
      environment: call.environment,
    },
    params: call.params,
    resource: {
      project: resource.project,
      repository: resource.repository,
      channel: resource.channel,
      account: resource.account,
      amount: resource.amount,
    },
    declared: {
      task: call.declared.task,
      rationale: call.declared.rationale,
      ticket: call.declared.ticket,
      rollback_plan: call.declared.rollbackPlan,
    },
    signals,
    history: {
      calls_1m: history.calls1m,
      denials_10m: history.denials10m,
      errors_1h: history.errors1h,
      writes_task: history.writesTask,
      spend_day: 0,
      operations_task: history.operationsTask,
    },
    approval: { state: 'none', id: '', approvers: [] },
    time,
  }
}
