import { BundleError } from './bundle-error.ts'

/**
 * First parts of package names. The SDK merges data into the same tree as the rules, so data under one of these
 * could add to a deny set, or take a grant's place.
 */
const RULE_ROOTS: ReadonlySet<string> = new Set(['gateway', 'system'])

const MAX_ROOTS = 256

/**
 * The roots of a manifest: paths below `data`, parts joined by slashes, none of them empty.
 *
 * @throws BundleError `manifest`
 */
export function parseRoots(untrustedRoots: unknown): readonly string[] {
  if (!Array.isArray(untrustedRoots) || untrustedRoots.length === 0 || !untrustedRoots.every(isRoot)) {
    // No roots means [""], "everything is here", which lets the optimiser fold run-time data away.
    throw new BundleError('manifest', '.manifest has to name its roots, each of them not empty')
  }
  if (untrustedRoots.length > MAX_ROOTS) {
    throw new BundleError('manifest', `.manifest names more than ${MAX_ROOTS} roots`)
  }
  return untrustedRoots
}

function isRoot(untrusted: unknown): untrusted is string {
  return typeof untrusted === 'string' && untrusted.length <= 512 && /^[\w-]+(?:\/[\w-]+)*$/.test(untrusted)
}

/** Whether `path` is `root` or lies below it. */
export function covers(root: string, path: string): boolean {
  return path === root || path.startsWith(`${root}/`)
}

/** Whether one of two paths lies below the other, or both are the same. */
export function overlap(left: string, right: string): boolean {
  return covers(left, right) || covers(right, left)
}

/** Whether a path is where rules are, and data could act as one. */
export function isForRules(path: string): boolean {
  return RULE_ROOTS.has(path.split('/', 1)[0] ?? '')
}

/** The first path of `value` that lies under no root; `undefined` when all of it is covered. */
export function outsideRoots(value: unknown, roots: readonly string[], path = ''): string | undefined {
  if (roots.includes(path)) return undefined
  const leadsToRoot = path === '' || roots.some((root) => root.startsWith(`${path}/`))
  if (!leadsToRoot || typeof value !== 'object' || value === null || Array.isArray(value)) return path
  for (const [name, child] of Object.entries(value)) {
    const childPath = path === '' ? name : `${path}/${name}`
    // A name with a slash in it would pass for the two names of a root.
    const stray = name.includes('/') ? childPath : outsideRoots(child, roots, childPath)
    if (stray !== undefined) return stray
  }
  return undefined
}
