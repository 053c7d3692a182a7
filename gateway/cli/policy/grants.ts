import { parseArgs } from 'node:util'
import { readPolicyFile } from '../../policy/authoring/policy-file.ts'
import { evaluatorOf } from '../../policy/authoring/evaluator-of.ts'
import { deriveGrants, type Grant } from '../../policy/authoring/grants.ts'
import { recordedCalls } from '../../policy/authoring/recorded-call.ts'
import { registryIn } from '../../policy/authoring/registry.ts'
import { demandRecord } from '../audit/record-places.ts'
import type { Command } from '../command.ts'
import { catalogueOperations } from './catalogue.ts'
import { type Paint, paintFor } from './colours.ts'
import { DATA_OPTION, DATA_USAGE, DEFAULT_BUNDLE } from './policy-files.ts'

const USAGE = `toolgate policy grants [--bundle FILE] [--data NAME=FILE]… [--audit FOLDER] [--json]

Lists who may do what: for every agent in the data the operations that its roles grant, with the groups and resources
for which the rules then allow the call. The call that is tried is the best there can be: a compliant device, business
hours, a ticket and a rollback plan. A grant that the rules allow to nobody is marked.

With --audit it also lists the grants that no allowed call on record made use of: scopes without a purpose.

  --bundle FILE    the policy (the one that comes with the gateway)
${DATA_USAGE}  --audit FOLDER   a record, such as .toolgate/audit

Exit codes: 0 done · 1 the bundle or the record cannot be used · 2 wrong usage
`

interface ListedGrant extends Grant {
  /** Allowed calls on record; absent without a record. */
  readonly used?: number
}

export const grants: Command = {
  summary: 'list who may do what, and what nobody does',
  usage: USAGE,
  async run(args, surroundings) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        bundle: { type: 'string', default: DEFAULT_BUNDLE },
        ...DATA_OPTION,
        audit: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    })
    if (values.audit !== undefined) await demandRecord(values.audit)
    const bundle = await readPolicyFile(values.bundle, values.data)
    const policy = await evaluatorOf(bundle)
    const derived = deriveGrants(registryIn(bundle), await catalogueOperations(), policy)
    const uses = values.audit === undefined ? undefined : await countUses(values.audit)
    const listed = derived.map((grant) => ({
      ...grant,
      ...(uses && { used: uses.get(keyOf(grant.agent, grant.operation)) ?? 0 }),
    }))
    const unused = unusedIn(listed)
    surroundings.print(
      values.json
        ? `${JSON.stringify({ policy: policy.digest, grants: listed, ...(uses && { unused }) }, undefined, 2)}\n`
        : describe(listed, uses === undefined ? [] : unused, paintFor(surroundings)),
    )
    return 0
  },
}

async function countUses(auditDirectory: string): Promise<ReadonlyMap<string, number>> {
  const uses = new Map<string, number>()
  for await (const { allowed, held, input } of recordedCalls(auditDirectory)) {
    const key = keyOf(input.agent.id, input.operation.id)
    if (allowed && !held) uses.set(key, (uses.get(key) ?? 0) + 1)
  }
  return uses
}

function keyOf(agent: string, operation: string): string {
  return JSON.stringify([agent, operation])
}

interface Unused {
  readonly agent: string
  readonly roles: readonly string[]
  /** An operation, or every read of a connector, of which not one was made. */
  readonly grant: string
}

/** Exact grants that no call used, and connectors of which an agent may read everything and read nothing. */
function unusedIn(listed: readonly ListedGrant[]): readonly Unused[] {
  const byGrant = new Map<string, { readonly unused: Unused; uses: number }>()
  for (const { agent, roles, operation, by, used = 0 } of listed) {
    const grant = by === 'operation' ? operation : `reads of ${operation.split('.')[0]}`
    const found = byGrant.get(keyOf(agent, grant)) ?? { unused: { agent, roles, grant }, uses: 0 }
    found.uses += used
    byGrant.set(keyOf(agent, grant), found)
  }
  return [...byGrant.values()].flatMap(({ unused, uses }) => (uses === 0 ? [unused] : []))
}

function describe(listed: readonly ListedGrant[], unused: readonly Unused[], paint: Paint): string {
  const agents = [...new Set(listed.map(({ agent }) => agent))]
  const lines = agents.flatMap((agent) => [
    paint('bold', agent),
    ...listed.filter((grant) => grant.agent === agent).map((grant) => `  ${describeGrant(grant, paint)}`),
    '',
  ])
  const orphans = unused.map(({ agent, roles, grant }) => `  ${agent}: ${grant} (${roles.join(', ')})`)
  if (orphans.length > 0) lines.push(paint('yellow', 'never used on record'), ...orphans, '')
  return lines.join('\n')
}

function describeGrant({ operation, groups, resources, approval, used }: ListedGrant, paint: Paint): string {
  const uses = used === undefined ? '' : `  ${paint('dim', `used ${used}`)}`
  if (groups.length === 0) return `${operation}  ${paint('yellow', 'granted, but allowed to nobody')}${uses}`
  const people = approval === 'never' ? '' : `  approval ${approval}`
  return `${operation}  ${groups.join(', ')}  ${paint('dim', resources.join('; '))}${people}${uses}`
}
