import { digestOf } from '../../gateway/policy/bundle.ts'
import { type BundlePart, POLICY_BUNDLE } from '../../gateway/policy/open-bundles.ts'

/** A bundle with rules that nobody signed and that there is no other beside: as its author has it on disk. */
export function onlyPart(bytes: Buffer): BundlePart {
  const digest = digestOf(bytes)
  return {
    name: POLICY_BUNDLE,
    bytes,
    digest,
    verification: undefined,
    allowedRoots: undefined,
    offeredAtMs: Date.now(),
  }
}
