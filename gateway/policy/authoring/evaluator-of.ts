import { openBundle } from '../bundle.ts'
import { compilePolicy } from '../compile-policy.ts'
import { createEvaluator, type LocalEvaluator } from '../evaluator.ts'
import { mergeBundles } from '../merge-bundles.ts'
import { selfTest } from '../self-test.ts'
import type { BundleVerifier } from '../signature.ts'

/** Pages of 64 KiB: what the configuration allows a policy unless it says otherwise. */
const MEMORY_LIMIT_PAGES = 4096

export interface OpenedPolicy extends Pick<LocalEvaluator, 'decide'> {
  /** `sha256:` and the hex digest of the bundle file. */
  readonly digest: string
  readonly revision: string
}

/**
 * Opens a bundle through the gateway's own path: archive, manifest, data, module, builtins, self-test.
 *
 * @param verify the check of its signature; without one, signed or not is the same to whoever only reads what it says
 * @throws BundleError when a gateway would refuse it
 */
export async function evaluatorOf(
  bundle: Buffer,
  verify: BundleVerifier = () => undefined,
): Promise<OpenedPolicy> {
  const opened = await openBundle(bundle, { verify })
  const { digest, revision, wasm } = opened
  const compiled = await compilePolicy({ wasm, data: mergeBundles(opened, []) }, MEMORY_LIMIT_PAGES)
  // What an evaluation throws comes back as the refusal of that one call.
  const evaluator = await createEvaluator(compiled)
  await selfTest(evaluator)
  return { decide: (input) => evaluator.decide(input), digest, revision }
}
