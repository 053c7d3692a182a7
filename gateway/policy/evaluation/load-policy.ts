import { createEvaluator } from './evaluator.ts'
import { compilePolicy } from './compile-policy.ts'
import type { CompiledPolicy } from './instance.ts'
import { openBundles } from '../bundles/open-bundles.ts'
import type { BundlePart, OpenedBundles } from '../bundles/open-bundles.ts'
import { selfTest } from './self-test.ts'

/** The bundles of a policy to load; can be sent to another thread as it is. */
export interface LoadRequest {
  readonly parts: readonly BundlePart[]
  /** 64 KiB pages that one instance may hold. */
  readonly memoryLimitPages: number
}

/** A policy that has passed every check; can be sent to another thread as it is. */
export interface LoadedPolicy extends Pick<OpenedBundles, 'digest' | 'revision' | 'bundles'> {
  readonly compiled: CompiledPolicy
}

/**
 * Opens and merges its bundles, compiles it, gives it its data and puts it to the self-test, which also makes it fast:
 * the machine code that it ends up with belongs to the module, in whatever thread it is used.
 *
 * @throws BundleError
 */
export async function loadPolicy({ parts, memoryLimitPages }: LoadRequest): Promise<LoadedPolicy> {
  const { digest, revision, bundles, ...executable } = await openBundles(parts)
  const compiled = await compilePolicy(executable, memoryLimitPages)
  // What an evaluation throws comes back as the refusal of that one call, which the self-test reports.
  await selfTest(await createEvaluator(compiled))
  return { digest, revision, bundles, compiled }
}
