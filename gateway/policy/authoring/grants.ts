import { isDeepStrictEqual } from 'node:util'
import type { ListedOperation } from '../../catalog/catalog.ts'
import type { Verdict } from '../../refusal.ts'
import type { Decision } from '../decision.ts'
import type { PolicyInput } from '../input.ts'
import { NOBODY } from '../evaluation/self-test.ts'
import { outcomeOf } from './cases.ts'
import type { OpenedPolicy } from './evaluator-of.ts'
import { member, members, type Registry } from './registry.ts'

/** That an agent may call an operation, as the data has it and the rules confirm it. */
export interface Grant {
  readonly agent: string
  /** Roles that carry it. */
  readonly roles: readonly string[]
  readonly operation: string
  /** `operation` by its exact name, `reads` with every read of the connector. */
  readonly by: 'operation' | 'reads'
  /** Groups with which the rules allow it on some resource, `a + b` where it takes both; none where the data grants what the rules never allow. */
  readonly groups: readonly string[]
  /** Resources on which they do; empty for an operation that names none. */
  readonly resources: readonly string[]
  /** Whether people have to approve on each, on some, or on none of these. */
  readonly approval: 'always' | 'sometimes' | 'never'
}

const KINDS = ['project', 'repository', 'channel', 'account'] as const
type Kind = (typeof KINDS)[number]

/** More than this many combinations of resources for one operation are not tried. */
const MAX_COMBINATIONS = 4096

/**
 * Who may do what: every operation of the catalogue that a role of an agent grants, put to the policy with each group
 * and each resource of its tenant. The call is otherwise the best there can be: a compliant device, business hours, a
 * ticket and a rollback plan.
 */
export function deriveGrants(
  registry: Registry,
  operations: readonly ListedOperation[],
  policy: Pick<OpenedPolicy, 'decide'>,
): readonly Grant[] {
  const groups = groupsIn(registry)
  return Object.keys(members(registry['agents'])).flatMap((agent) =>
    operations.flatMap((operation) => {
      const granted = grantsOf(registry, agent, operation)
      if (granted.roles.length === 0) return []
      return {
        agent,
        operation: operation.id,
        ...granted,
        ...confirm(registry, agent, operation, groups, policy),
      }
    }),
  )
}

/** Roles of an agent that grant an operation; by its exact name where there is one, otherwise with all reads. */
function grantsOf(
  registry: Registry,
  agent: string,
  { id, connector, access }: ListedOperation,
): Pick<Grant, 'roles' | 'by'> {
  const roles = Object.entries(members(member(registry, 'agents', agent, 'roles'))).flatMap(([role, on]) =>
    on === true ? [role] : [],
  )
  const exact = roles.filter((role) => member(registry, 'roles', role, 'operations', id) === true)
  if (exact.length > 0 || access !== 'read') return { roles: exact, by: 'operation' }
  return {
    roles: roles.filter((role) => member(registry, 'roles', role, 'reads', connector) === true),
    by: 'reads',
  }
}

function confirm(
  registry: Registry,
  agent: string,
  operation: ListedOperation,
  groups: readonly string[],
  policy: Pick<OpenedPolicy, 'decide'>,
): Pick<Grant, 'groups' | 'resources' | 'approval'> {
  const allowed = { groups: new Set<string>(), resources: new Set<string>(), effects: new Set<string>() }
  for (const resource of combinations(registry, agent, operation)) {
    const decide = (of: readonly string[]): Verdict<Decision> =>
      policy.decide(bestCall(registry, agent, operation, of, resource))
    for (const { several, decision } of enoughGroups(groups, decide)) {
      allowed.groups.add(several.join(' + '))
      allowed.effects.add(outcomeOf(decision).effect)
      const named = KINDS.flatMap((kind) => (resource[kind] ? [`${kind} ${resource[kind]}`] : []))
      if (named.length > 0) allowed.resources.add(named.join(' + '))
    }
  }
  const held = allowed.effects.has('hold')
  return {
    groups: [...allowed.groups].sort(),
    resources: [...allowed.resources].sort(),
    approval: !held ? 'never' : allowed.effects.size > 1 ? 'sometimes' : 'always',
  }
}

interface Enough {
  readonly several: readonly string[]
  readonly decision: Decision
}

/** Each group that is enough by itself; else those that are enough together, without any that can be spared. */
function enoughGroups(
  groups: readonly string[],
  decide: (groups: readonly string[]) => Verdict<Decision>,
): readonly Enough[] {
  const [first, ...others] = groups
  if (first === undefined) return []
  const [one, all] = [decide([first]), decide(groups)]
  // Most calls are denied for their resource, and then groups make no difference to the reasons.
  if (!isAllowed(all) && isDeepStrictEqual(one, all)) return []
  const alone = [one, ...others.map((group) => decide([group]))].flatMap((verdict, index) =>
    isAllowed(verdict) ? [{ several: groups.slice(index, index + 1), decision: verdict.value }] : [],
  )
  if (alone.length > 0 || !isAllowed(all)) return alone
  const needed = groups.reduce((kept, group) => {
    const fewer = kept.filter((other) => other !== group)
    return isAllowed(decide(fewer)) ? fewer : kept
  }, groups)
  return [{ several: needed, decision: all.value }]
}

function isAllowed(verdict: Verdict<Decision>): verdict is Extract<Verdict<Decision>, { readonly ok: true }> {
  return verdict.ok && verdict.value.allow
}

/** Every choice of one listed resource of each kind that the operation tells policy of, or of none. */
function combinations(
  registry: Registry,
  agent: string,
  operation: ListedOperation,
): readonly Partial<Record<Kind, string>>[] {
  const tenant = member(registry, 'agents', agent, 'tenant')
  const listed = member(registry, 'tenants', String(tenant), 'resources', operation.connector)
  let choices: readonly Partial<Record<Kind, string>>[] = [{}]
  for (const kind of KINDS) {
    if (!operation.resources.includes(kind)) continue
    const ids = ['', ...Object.keys(members(member(listed, kind)))]
    choices = choices
      .flatMap((choice) => ids.map((id) => ({ ...choice, [kind]: id })))
      .slice(0, MAX_COMBINATIONS)
  }
  return choices
}

function bestCall(
  registry: Registry,
  agent: string,
  operation: ListedOperation,
  groups: readonly string[],
  resource: Partial<Record<Kind, string>>,
): PolicyInput {
  const issuer = member(registry, 'agents', agent, 'issuer')
  const { id, connector, access, risk, dataClass, reversible } = operation
  return {
    ...NOBODY,
    agent: { id: agent, issuer: typeof issuer === 'string' ? issuer : '', binding: 'dpop', key: 'key' },
    principal: { id: 'principal', groups, device_compliant: true, act: [] },
    tenant: String(member(registry, 'agents', agent, 'tenant')),
    operation: {
      id,
      connector,
      access,
      risk,
      data_class: dataClass,
      reversible,
      environment: 'unknown',
      phase: '',
    },
    resource: { ...NOBODY.resource, ...resource },
    declared: { task: 'task', rationale: 'rationale', ticket: 'CHG-1', rollback_plan: 'plan' },
    signals: { ...NOBODY.signals, first_use: false },
    time: { ns: '0', date: '1970-01-01', weekday: 'monday', hour: 10, business_hours: true },
  }
}

/** Groups that may use a tool, one of its operations or a class of data. */
function groupsIn(registry: Registry): readonly string[] {
  const groups = new Set<string>()
  for (const demands of Object.values(members(registry['data_classes'])))
    for (const group of Object.keys(members(member(demands, 'groups')))) groups.add(group)
  for (const tool of Object.values(members(registry['tools']))) {
    for (const place of [tool, ...Object.values(members(member(tool, 'operations')))])
      for (const group of Object.keys(members(member(place, 'groups')))) groups.add(group)
  }
  return [...groups].sort()
}
