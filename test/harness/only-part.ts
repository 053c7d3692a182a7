import { digestOf } from '../../gateway/policy/bundles/bundle.ts'
import { type BundlePart, POLICY_BUNDLE } from '../../gateway/policy/bundles/open-bundles.ts'

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
