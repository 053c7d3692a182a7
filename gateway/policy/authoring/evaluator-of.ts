import { createEvaluator, type LocalEvaluator } from '../evaluator.ts'
import { loadPolicy } from '../load-policy.ts'
import { onlyPart } from '../open-bundles.ts'

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
 * @throws BundleError when a gateway would refuse it
 */
export async function evaluatorOf(bundle: Buffer): Promise<OpenedPolicy> {
  const { compiled, digest, revision } = await loadPolicy({
    parts: [onlyPart(bundle)],
    memoryLimitPages: MEMORY_LIMIT_PAGES,
  })
  // What an evaluation throws comes back as the refusal of that one call.
  const evaluator = await createEvaluator(compiled)
  return { decide: (input) => evaluator.decide(input), digest, revision }
}
