import type { VerificationConfig } from '../config/policy-config.ts'
import { openBundle } from './bundle.ts'
import type { Bundle } from './bundle.ts'
import { createEvaluator } from './evaluator.ts'
import { compilePolicy } from './instance.ts'
import type { CompiledPolicy } from './instance.ts'
import { selfTest } from './self-test.ts'
import { createBundleVerifier } from './signature.ts'

/** A bundle to load; can be sent to another thread as it is. */
export interface LoadRequest {
  readonly bytes: Uint8Array
  readonly verification: VerificationConfig | undefined
  /** When it was offered; milliseconds since the epoch. */
  readonly nowMs: number
  /** 64 KiB pages that one instance may hold. */
  readonly memoryLimitPages: number
}

/** A policy that has passed every check; can be sent to another thread as it is. */
export interface LoadedPolicy extends Pick<Bundle, 'digest' | 'revision'> {
  readonly compiled: CompiledPolicy
}

/**
 * Opens a bundle, compiles it, gives it its data and puts it to the self-test, which also makes it fast: the machine
 * code that it ends up with belongs to the module, in whatever thread it is used.
 *
 * @throws BundleError
 */
export async function loadPolicy(request: LoadRequest): Promise<LoadedPolicy> {
  const { bytes, verification, nowMs, memoryLimitPages } = request
  const verify = verification && createBundleVerifier(verification, { nowMs: () => nowMs })
  const bundle = await openBundle(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), { verify })
  const compiled = await compilePolicy(bundle, memoryLimitPages)
  // What an evaluation throws comes back as the refusal of that one call, which the self-test reports.
  const ignored = { onThrow: () => undefined, onRecycle: () => undefined }
  await selfTest(await createEvaluator(compiled, ignored))
  return { digest: bundle.digest, revision: bundle.revision, compiled }
}
