import { compilePolicy } from '../evaluation/compile-policy.ts'
import { createEvaluator, type LocalEvaluator } from '../evaluation/evaluator.ts'
import { selfTest } from '../evaluation/self-test.ts'
import type { PolicyFile } from './policy-file.ts'

/** Pages of 64 KiB: what the configuration allows a policy unless it says otherwise. */
const MEMORY_LIMIT_PAGES = 4096

export interface OpenedPolicy extends Pick<LocalEvaluator, 'decide'> {
  /** As a gateway puts it on record. */
  readonly digest: string
  readonly revision: string
}

/**
 * Loads a policy as a gateway would: module, builtins, data, self-test.
 *
 * @throws BundleError when a gateway would refuse it
 */
export async function evaluatorOf(policy: PolicyFile): Promise<OpenedPolicy> {
  const { digest, revision } = policy
  // What an evaluation throws comes back as the refusal of that one call.
  const evaluator = await createEvaluator(await compilePolicy(policy, MEMORY_LIMIT_PAGES))
  await selfTest(evaluator)
  return { decide: (input) => evaluator.decide(input), digest, revision }
}
