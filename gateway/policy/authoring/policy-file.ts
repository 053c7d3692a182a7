import { readFile } from 'node:fs/promises'
import { digestOf, openBundle, openDataBundle } from '../bundles/bundle.ts'
import { mergeBundles } from '../bundles/merge-bundles.ts'
import { digestOfAll, POLICY_BUNDLE } from '../bundles/open-bundles.ts'
import type { BundleVerifier } from '../bundles/signature.ts'

/** A policy as it is on disk: the bundle with its rules, and what bundles of data add to it. */
export interface PolicyFile {
  /** The bundle with the rules. */
  readonly bundle: Buffer
  readonly wasm: Buffer
  /** JSON text of the data of all of them. */
  readonly data: Buffer
  /** As a gateway puts it on record. */
  readonly digest: string
  readonly revision: string
}

/**
 * @param verify the check of the signature; without one, signed or not is the same to whoever only reads what it says
 * @throws BundleError when a gateway would refuse one of the bundles
 */
export async function policyFile(
  bundle: Buffer,
  data: ReadonlyMap<string, Buffer> = new Map(),
  verify: BundleVerifier = () => undefined,
): Promise<PolicyFile> {
  const rules = await openBundle(bundle, { verify })
  const others = []
  for (const [name, bytes] of data) others.push({ name, ...(await openDataBundle(bytes, { verify })) })
  const files = [[POLICY_BUNDLE, bundle] as const, ...data]
  return {
    bundle,
    wasm: rules.wasm,
    data: mergeBundles(rules, others),
    digest: digestOfAll(files.map(([name, bytes]) => ({ name, digest: digestOf(bytes) }))),
    revision: rules.revision,
  }
}

/** @throws Error that names the file, or the option that is none */
export async function readPolicyFile(path: string, data: readonly string[]): Promise<PolicyFile> {
  const others = new Map<string, Buffer>()
  for (const option of data) {
    const [, name, file] = /^([a-z][a-z0-9-]*)=(.+)$/.exec(option) ?? []
    if (name === undefined || file === undefined) throw new Error(`--data takes NAME=FILE, not ${option}`)
    others.set(name, await readBundle(file))
  }
  return policyFile(await readBundle(path), others)
}

async function readBundle(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new Error(`the bundle ${path} cannot be read`, { cause })
  }
}
