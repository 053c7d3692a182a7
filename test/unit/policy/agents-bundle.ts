import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BundleError } from '../../../gateway/policy/bundles/bundle-error.ts'
import { digestOf } from '../../../gateway/policy/bundles/bundle.ts'
import { openBundles } from '../../../gateway/policy/bundles/open-bundles.ts'
import { compileRules } from '../../harness/opa.ts'
import { dataBundle } from '../../harness/signed-bundle.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../../harness/temporary-directory.ts'

/** Rules that know agents and guests by data alone. */
export const RULES = `
decision := {"allow": allow, "risk": 0, "reasons": reasons, "obligations": []}
default allow := false
allow if data.registry.agents[input.agent.id]
allow if data.registry.guests[input.agent.id]
reasons contains {"code": "agent.unknown", "rule": "R001", "detail": ""} if not allow
`
export const ROOTS = ['gateway', 'registry/roles']

/** A bundle of agents, with the friend among them unless told otherwise. */
export const friends = (text = '{"friend": true}', revision = 'friends'): Promise<Buffer> =>
  dataBundle({ roots: { 'registry/agents': text }, revision })

export const rules = await compileRules(RULES, { revision: 'rules', roots: ROOTS })
export const agents = await friends()
export const nobody = await friends('{}', 'nobody')

/** A directory in which the bundle of agents lies as a file. */
export interface AgentsFile {
  readonly folder: TemporaryDirectory
  readonly agentsPath: string
}

/** Whoever writes it has the folder removed. */
export async function writeAgents(): Promise<AgentsFile> {
  const folder = await temporaryDirectory()
  const agentsPath = join(folder.path, 'agents.tar.gz')
  await writeFile(agentsPath, agents)
  return { folder, agentsPath }
}

/** A bundle as it is offered under a name. */
export const part = (name: string, bytes: Buffer, allowedRoots?: readonly string[]) => ({
  name,
  bytes,
  digest: digestOf(bytes),
  verification: undefined,
  allowedRoots,
  offeredAtMs: 0,
})

/** Why the rules and these parts are not taken together. */
export const refusal = (...parts: readonly ReturnType<typeof part>[]): Promise<BundleError> =>
  openBundles([part('policy', rules), ...parts]).then(
    () => new BundleError('data', 'was not refused'),
    (error: unknown) => error as BundleError,
  )
