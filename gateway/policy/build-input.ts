import type { Operation } from '../catalog/connector.ts'
import type { Caller } from '../caller.ts'
import { peopleFor } from '../approvals/people.ts'
import type { Presented, ReadCall, Reserved } from '../exchange.ts'
import type { PolicyInput, Signals } from './input.ts'
import type { PolicyTime } from './calendar.ts'

/**
 * Presents a call to the rules: version 1 of the input, DESIGN §5. Every fact comes from the call and from the
 * time given, so the same call at the same time is always the same input.
 */
export function buildInput(call: Presented, signals: Signals, time: PolicyTime): PolicyInput {
  const { caller, declared, resource } = call
  return {
    v: 1,
    agent: agentFacts(caller),
    principal: principalFacts(caller),
    tenant: caller.tenant,
    scopes: caller.scopes,
    authorization_details: caller.authorizationDetails,
    operation: operationFacts(call),
    params: call.params,
    resource: {
      project: resource.project,
      repository: resource.repository,
      channel: resource.channel,
      account: resource.account,
      amount: resource.amount,
    },
    declared: {
      task: declared.task,
      rationale: declared.rationale,
      ticket: declared.ticket,
      rollback_plan: declared.rollbackPlan,
    },
    signals,
    history: historyFacts(call),
    approval: approvalFacts(call),
    time,
  }
}

/** Only what was approved is told: what people have not answered yet is no reason for anything. */
function approvalFacts({ approval }: Presented): PolicyInput['approval'] {
  if (approval?.state !== 'approved') return { state: 'none', id: '', approvers: [] }
  return { state: 'approved', id: approval.id, approvers: peopleFor(approval.votes).map(({ id }) => id) }
}

function agentFacts({ agent }: Caller): PolicyInput['agent'] {
  return { id: agent.id, issuer: agent.issuer, binding: agent.binding, key: agent.key }
}

/** Made once for all calls with the same token, and so is their text; see `callerText`. */
const principals = new WeakMap<Caller['principal'], PolicyInput['principal']>()

function principalFacts({ principal }: Caller): PolicyInput['principal'] {
  const known = principals.get(principal)
  if (known !== undefined) return known
  const { id, groups, deviceCompliant, act } = principal
  const facts = Object.freeze({ id, groups, device_compliant: deviceCompliant, act })
  if (Object.isFrozen(principal)) principals.set(principal, facts)
  return facts
}

/** The last ones of each operation: in another environment, or at another step, it has others. */
const operations = new WeakMap<Operation, PolicyInput['operation']>()

function operationFacts({ operation, environment, phase }: ReadCall): PolicyInput['operation'] {
  const known = operations.get(operation)
  if (known?.environment === environment && known.phase === phase) return known
  const facts = Object.freeze({
    id: operation.id,
    connector: operation.connector,
    access: operation.access,
    risk: operation.risk,
    data_class: operation.dataClass,
    reversible: operation.reversible,
    environment,
    phase,
  })
  operations.set(operation, facts)
  return facts
}

function historyFacts({ history, dataClassesTask, dataClasses1h, spend }: Reserved): PolicyInput['history'] {
  return {
    calls_1m: history.calls1m,
    denials_10m: history.denials10m,
    errors_1h: history.errors1h,
    writes_task: history.writesTask,
    spend_day: spend.day,
    spend_task: spend.task,
    operations_task: history.operationsTask,
    operations_1h: history.operations1h,
    data_classes_task: dataClassesTask,
    data_classes_1h: dataClasses1h,
  }
}
