import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { policy } from '../../gateway/cli/policy/policy.ts'
import { runHere, type Ran } from './run-here.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** Runs `toolgate policy …` in this process. */
export function runPolicy(
  args: readonly string[],
  surroundings?: Parameters<typeof runHere>[2],
): Promise<Ran> {
  return runHere(policy, args, surroundings)
}

/** Runs it with `--json` and reads what it printed. */
export async function runPolicyJson(args: readonly string[]): Promise<Ran & { readonly json: unknown }> {
  const ran = await runPolicy([...args, '--json'])
  if (ran.printed === '') throw new Error(ran.complained)
  return { ...ran, json: JSON.parse(ran.printed) as unknown }
}

interface PolicyFolder extends AsyncDisposable {
  readonly path: string
  write(name: string, content: string): Promise<void>
}

/** A folder of somebody's own policy, with these files in it. */
export async function policyFolder(files: Readonly<Record<string, string>>): Promise<PolicyFolder> {
  const directory = await temporaryDirectory()
  const write = async (name: string, content: string): Promise<void> => {
    await mkdir(dirname(join(directory.path, name)), { recursive: true })
    await writeFile(join(directory.path, name), content)
  }
  for (const [name, content] of Object.entries(files)) await write(name, content)
  return { path: directory.path, write, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() }
}

/** A small policy of somebody's own: agents in data may call the operations listed for them, by day. */
export const SMALL_POLICY: Readonly<Record<string, string>> = {
  'gateway/gateway.rego': `# METADATA
# scope: subpackages
# schemas:
#   - input: schema.input
package gateway
`,
  'gateway/decision.rego': `package gateway.decision

# METADATA
# entrypoint: true
decision := {
	"allow": allow,
	"risk": 0,
	"reasons": deny,
	"obligations": set(),
}

default allow := false

allow if {
	count(deny) == 0
	count(grant) > 0
}

# METADATA
# description: The registry lists the operation
grant contains input.agent.id if {
	input.principal.device_compliant == true
	data.registry.agents[input.agent.id][input.operation.id] == true
}

# METADATA
# title: Granted operation
# custom:
#   id: R020
deny contains {
	"code": "operation.not_granted",
	"rule": "R020",
	"detail": "",
} if {
	count(grant) == 0
}

# METADATA
# title: Business hours
# custom:
#   id: R043
deny contains {
	"code": "hours.closed",
	"rule": "R043",
	"detail": "",
} if {
	input.operation.access != "read"
	not input.time.business_hours == true
}
`,
  'gateway/decision_test.rego': `package gateway.decision_test

import data.gateway.decision

call := {
	"agent": {"id": "a"},
	"principal": {"device_compliant": true},
	"operation": {"id": "x.write", "access": "write"},
	"time": {"business_hours": true},
}

test_allows if decision.decision.allow with input as call

test_denies_by_night if {
	not decision.decision.allow with input as object.union(call, {"time": {"business_hours": false}})
}

test_denies_others if {
	not decision.decision.allow with input as object.union(call, {"agent": {"id": "b"}})
}
`,
  'data/registry/agents/data.json': '{"a": {"x.write": true}}\n',
  'cases/callers.yaml': `the agent: { agent: { id: a }, principal: { device_compliant: true } }\n`,
  'cases/operations.yaml': `a write: { operation: { id: x.write, access: write } }\n`,
  'cases/writes.yaml': `- { caller: the agent, operation: a write, effect: allow }
- caller: the agent
  operation: a write
  with: { time: { business_hours: false } }
  effect: deny
  reasons: [hours.closed]
`,
}

/** The rules of the small policy, with its business hours in report mode. */
export const REPORTING_RULES = (SMALL_POLICY['gateway/decision.rego'] ?? '')
  .replace('"reasons": deny,', '"reasons": deny - reported,\n\t"reported": reported,')
  .replace('count(deny) == 0', 'count(deny - reported) == 0')
  .replace(
    'default allow',
    'reported := {reason | some reason in deny; reason.rule == "R043"}\n\ndefault allow',
  )
