import { openBundle } from '../bundle.ts'
import { createEvaluator, type Evaluator } from '../evaluator.ts'
import { compilePolicy } from '../instance.ts'
import { selfTest } from '../self-test.ts'

/** Pages of 64 KiB: what the configuration allows a policy unless it says otherwise. */
const MEMORY_LIMIT_PAGES = 4096

export interface OpenedPolicy extends Pick<Evaluator, 'decide'> {
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
  const opened = await openBundle(bundle)
  const compiled = await compilePolicy(opened, MEMORY_LIMIT_PAGES)
  // What an evaluation throws comes back as the refusal of that one call.
  const evaluator = createEvaluator(compiled, { onThrow: () => undefined, onRecycle: () => undefined })
  await selfTest(evaluator)
  return { decide: (input) => evaluator.decide(input), digest: opened.digest, revision: opened.revision }
}
