import { BundleError } from './bundle-error.ts'

/** What a module begins with, comments and blank lines aside. */
const PACKAGE = /^(?:\s|#[^\n]*\n)*package\s+([a-z_]\w*(?:\.[a-z_]\w*|\["[^"\\]+"\])*)/i

/**
 * The packages of the Rego that a bundle carries, each as a path with slashes. The module in WebAssembly does not say
 * where its rules are; its sources beside it do.
 *
 * @throws BundleError `archive`
 */
export function packagesOf(entries: ReadonlyMap<string, Buffer>): readonly string[] {
  const packages = new Set<string>()
  for (const [name, source] of entries) {
    if (!name.endsWith('.rego')) continue
    const [, path] = PACKAGE.exec(source.toString('utf8')) ?? []
    if (path === undefined) throw new BundleError('archive', `${name} names no package`)
    packages.add(path.replaceAll(/\["([^"]+)"\]/g, '.$1').replaceAll('.', '/'))
  }
  return [...packages]
}
