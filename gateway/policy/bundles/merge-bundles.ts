import type { Bundle, DataBundle } from './bundle.ts'
import { BundleError } from './bundle-error.ts'
import { joinSlices, slicesAt } from './data-slices.ts'
import { overlap } from './roots.ts'

interface NamedDataBundle extends DataBundle {
  readonly name: string
}

/**
 * The data of a policy and of the bundles beside it as one JSON text: what each has below its roots, byte for byte. The
 * packages of the rules lie below the roots of theirs, so that no data of another can come to lie among them.
 *
 * @throws BundleError `roots` when two of them claim the same place
 * @see https://www.openpolicyagent.org/docs/management-bundles#multiple-sources-of-policy-and-data
 */
export function mergeBundles(policy: Bundle, others: readonly NamedDataBundle[]): Buffer {
  if (others.length === 0) return policy.data
  const owners = new Map(policy.roots.map((root) => [root, 'the bundle with the rules']))
  const slices = [...slicesAt(policy.data, new Set(policy.roots))]
  for (const { name, roots, data } of others) {
    for (const root of roots) refuseOwned(root, name, owners)
    for (const root of roots) owners.set(root, `the bundle ${name}`)
    slices.push(...slicesAt(data, new Set(roots)))
  }
  return joinSlices(slices)
}

function refuseOwned(root: string, name: string, owners: ReadonlyMap<string, string>): void {
  for (const [owned, owner] of owners) {
    if (overlap(owned, root)) {
      throw new BundleError('roots', `the root ${root} overlaps ${owned}, which belongs to ${owner}`, {
        bundle: name,
      })
    }
  }
}
