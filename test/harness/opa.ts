import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compileBundle } from '../../policies-rego/compile.ts'
import type { CompileOptions } from '../../policies-rego/compile.ts'

export { findOpa, runOpa } from '../../policies-rego/opa.ts'

export interface BundleFile extends AsyncDisposable {
  readonly path: string
  readonly directory: string
  write(bundle: Buffer): Promise<void>
}

/** A bundle in a file of its own, in a folder of its own. */
export async function bundleFile(bundle: Buffer): Promise<BundleFile> {
  const directory = await mkdtemp(join(tmpdir(), 'toolgate-bundle-'))
  const path = join(directory, 'bundle.tar.gz')
  await writeFile(path, bundle)
  return {
    path,
    directory,
    write: (next) => writeFile(path, next),
    async [Symbol.asyncDispose]() {
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/**
 * Compiles one module of package `gateway.decision` with the real `opa`. `rules` is the body of the module;
 * the decision document around it is given, so that a test says only what is special.
 */
export async function compileRules(
  rules: string,
  more: { readonly data?: unknown } & Pick<CompileOptions, 'revision' | 'capabilitiesPath'> = {},
): Promise<Buffer> {
  const { data, ...options } = more
  const sources = new Map([['gateway/decision.rego', `package gateway.decision\n\n${rules}\n`]])
  if (data !== undefined) sources.set('registry/data.json', JSON.stringify(data))
  return compileBundle({ sources, roots: ['gateway', 'registry'], ...options })
}

/** A decision that allows agent `friend` and denies everybody else. */
export const FRIEND_RULES = `
decision := {"allow": allow, "risk": 0, "reasons": reasons, "obligations": []}
default allow := false
allow if input.agent.id == "friend"
reasons contains {"code": "agent.unknown", "rule": "R001", "detail": ""} if not allow
`
