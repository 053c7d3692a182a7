import { createHash } from 'node:crypto'
import { openBundle, openDataBundle } from './bundle.ts'
import type { OpenOptions } from './bundle.ts'
import { BundleError } from './bundle-error.ts'
import { mergeBundles } from './merge-bundles.ts'
import { covers } from './roots.ts'
import { createBundleVerifier } from './signature.ts'
import type { BundleVerification } from './signature.ts'

/** Name of the bundle that holds the rules; those beside it hold data alone. */
export const POLICY_BUNDLE = 'policy'

/** One bundle of a policy as it was offered, unopened; can be sent to another thread as it is. */
export interface BundlePart {
  readonly name: string
  readonly bytes: Uint8Array
  /** `sha256:` and the hex digest of `bytes`. */
  readonly digest: string
  readonly verification: BundleVerification | undefined
  /** Paths that its roots have to lie below; `undefined` for wherever no other bundle is. */
  readonly allowedRoots: readonly string[] | undefined
  /**
   * When it was offered, in milliseconds since the epoch. A signature has to be good then: one that ends later does
   * not keep the next version of another bundle out.
   */
  readonly offeredAtMs: number
}

/** One bundle of those in force. */
export interface BundleRevision {
  readonly name: string
  readonly revision: string
  readonly digest: string
  readonly roots: readonly string[]
}

/** The rules and all the data of a policy, checked; nothing of it has run yet. */
export interface OpenedBundles {
  /** Of everything: see `digestOfAll`. */
  readonly digest: string
  /** Of the bundle with the rules. */
  readonly revision: string
  readonly wasm: Buffer
  /** JSON text of all bundles, every number as bundled. */
  readonly data: Buffer
  /** The one with the rules first, then by name. */
  readonly bundles: readonly BundleRevision[]
}

/**
 * Opens the bundles of a policy, one of them with rules, and merges their data.
 *
 * @throws BundleError that names the bundle at fault where one alone is
 */
export async function openBundles(parts: readonly BundlePart[]): Promise<OpenedBundles> {
  const rules = parts.find(({ name }) => name === POLICY_BUNDLE)
  if (rules === undefined) throw new TypeError('there is no bundle with rules')
  const policy = await judged(rules, openBundle)
  const data = []
  for (const part of parts.toSorted(byName)) {
    if (part !== rules) data.push({ name: part.name, ...(await judged(part, openDataBundle)) })
  }
  const bundles = [{ name: POLICY_BUNDLE, ...policy }, ...data]
  return {
    digest: digestOfAll(parts),
    revision: policy.revision,
    wasm: policy.wasm,
    data: mergeBundles(policy, data),
    bundles: bundles.map(({ name, revision, digest, roots }) => ({ name, revision, digest, roots })),
  }
}

/**
 * What stands on record for the policy in force. A bundle alone is named by its own digest, as `sha256sum` gives it;
 * several by that of `[[name,digest],…]` in JSON without spaces, in the order of the names.
 */
export function digestOfAll(parts: readonly Pick<BundlePart, 'name' | 'digest'>[]): string {
  const [first] = parts
  if (first !== undefined && parts.length === 1) return first.digest
  const pairs = parts.toSorted(byName).map(({ name, digest }) => [name, digest])
  return `sha256:${createHash('sha256').update(JSON.stringify(pairs)).digest('hex')}`
}

/** Opens one of them by itself; whatever is wrong then is wrong with this one. */
async function judged<T extends { readonly roots: readonly string[] }>(
  { name, bytes, verification, allowedRoots, offeredAtMs }: BundlePart,
  open: (bytes: Buffer, options: OpenOptions) => Promise<T>,
): Promise<T> {
  try {
    const verify = verification && createBundleVerifier(verification, offeredAtMs)
    const opened = await open(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), { verify })
    const foreign = opened.roots.find(
      (root) => allowedRoots?.some((allowed) => covers(allowed, root)) === false,
    )
    if (foreign === undefined) return opened
    throw new BundleError('roots', `the root ${foreign} is none of those that the configuration allows`)
  } catch (error) {
    throw error instanceof BundleError ? error.of(name) : error
  }
}

function byName(left: { readonly name: string }, right: { readonly name: string }): number {
  return left.name < right.name ? -1 : 1
}
