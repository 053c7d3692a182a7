import { gunzipSync } from 'node:zlib'
import { BUNDLE_LIMITS } from '../bundles/bundle.ts'
import { readTar } from '../bundles/tar.ts'
import type { PolicyFile } from './policy-file.ts'

/**
 * The Rego that a policy was made from, and its data, by path: what it decides, in the words of those who wrote it.
 *
 * @throws BundleError when it is no archive, Error when it has no Rego
 */
export function sourcesInBundle({ bundle, data }: PolicyFile): ReadonlyMap<string, string> {
  const { maxBytes, maxEntries } = BUNDLE_LIMITS
  const entries = readTar(gunzipSync(bundle, { maxOutputLength: maxBytes }), {
    maxEntries,
    maxEntryBytes: maxBytes,
  })
  const sources = new Map<string, string>()
  for (const [path, bytes] of entries) {
    if (path.endsWith('.rego')) sources.set(path, bytes.toString('utf8'))
  }
  if (sources.size === 0)
    throw new Error(
      'the bundle holds no Rego, so that its rules cannot be explained: it was made by something else than opa build',
    )
  return sources.set('data.json', data.toString('utf8'))
}
