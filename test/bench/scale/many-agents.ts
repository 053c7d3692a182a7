import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compileBundle } from '../../../gateway/policy/authoring/compile.ts'
import { readSources, rootsOf } from '../../../gateway/policy/authoring/read-sources.ts'

const POLICIES = join(import.meta.dirname, '..', '..', '..', 'policies-rego')

/** The policy of the gateway with so many more agents in its data, `agent-0` onwards, each with the same grants. */
export async function bundleWithAgents(count: number): Promise<Buffer> {
  const sources = new Map(await readSources(POLICIES))
  const path = 'registry/agents/data.json'
  const agents = JSON.parse(sources.get(path) ?? '{}') as Record<string, unknown>
  for (let index = 0; index < count; index += 1) {
    agents[`agent-${String(index)}`] = {
      tenant: 'zyx-bank',
      owner: 'x@zyx.example',
      may_write: false,
      roles: { 'change-reviewer': true },
    }
  }
  sources.set(path, JSON.stringify(agents))
  return compileBundle({ sources, roots: rootsOf(sources) })
}

/** The section of toolgate.yaml for such a bundle, kept in a file of the folder. */
export async function policyWithAgents(folder: string, count: number): Promise<object> {
  const bundle = join(folder, `agents-${String(count)}.tar.gz`)
  await writeFile(bundle, await bundleWithAgents(count))
  return { bundle, memoryLimitPages: 16_384 }
}
