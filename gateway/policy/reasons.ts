/**
 * The closed set of reason codes that rules may give, shared with Rego: a test reads every code used in
 * `policies-rego/gateway` and demands exactly these. A decision with another code is `policy.invalid`.
 */
export const REASONS = {
  'input.unsupported': 'The policy does not know this version of the input',
  'agent.unknown': 'The agent is not registered',
  'tenant.mismatch': 'The agent belongs to another tenant',
  'device.not_compliant': 'The device of the principal is not compliant',
  'group.not_allowed': 'None of the groups of the principal may use this tool',
  'operation.not_granted': 'The agent has no grant for this operation',
  'write.not_allowed': 'The agent may not change anything',
  'resource.unknown': 'The call does not say what it acts upon',
  'repository.not_allowed': 'The repository is not on the list of the tenant',
  'project.not_allowed': 'The project or space is not on the list of the tenant',
  'channel.not_allowed': 'The channel is not on the list of the tenant',
  'account.not_allowed': 'The account is not on the list of the tenant',
  'environment.not_allowed': 'The agent may not act in this environment',
  'ticket.required': 'A change to this resource needs a change ticket',
  'ticket.invalid': 'The change ticket is not well-formed',
  'rollback_plan.required': 'A change to this resource needs a rollback plan',
  'hours.closed': 'Changes are made in business hours only',
  'change.frozen': 'Changes to this environment are frozen',
  'window.closed': 'This environment is changed at other times',
  'secret.in_write': 'The request carries what looks like a secret',
  'data_class.not_allowed': 'The agent may not have this class of data',
  'data_class.group_required': 'None of the groups of the principal may have this class of data',
  'data_class.binding_required': 'This class of data needs a stronger proof of the key of the agent',
  'amount.invalid': 'The call does not state the amount it moves',
  'amount.no_limit': 'No limit is set for the agent in this currency',
  'spend.call_exceeded': 'The amount is above the limit of one call',
  'spend.day_exceeded': 'The amount is above what is left of the limit of a day',
  'spend.task_exceeded': 'The amount is above what is left of the limit of a task',
  'sequence.not_allowed': 'This is closed to the agent after what it did before',
  'writes.task_exceeded': 'The task has made all the changes it may make',
  'task.required': 'A change of this agent needs a named task',
  'denials.exceeded': 'The agent was denied too often',
  'errors.exceeded': 'Too many calls of the agent failed',
} as const satisfies Record<string, string>

export type ReasonCode = keyof typeof REASONS

/**
 * What holds the boundary itself. A rule that gives one of these denies: it cannot be put into report mode, and a
 * policy that does so all the same has not decided (`policy.invalid`).
 */
export const BOUNDARY_REASONS: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  'input.unsupported',
  'agent.unknown',
  'tenant.mismatch',
  'operation.not_granted',
])

/** Narrows a string from a decision document to the closed set. */
export function isReasonCode(untrustedCode: string): untrustedCode is ReasonCode {
  return Object.hasOwn(REASONS, untrustedCode)
}
