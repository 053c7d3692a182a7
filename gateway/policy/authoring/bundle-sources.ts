import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { BUNDLE_LIMITS } from '../bundle.ts'
import { readTar } from '../tar.ts'

/**
 * The Rego and data that a bundle was made from, by path: what it decides, in the words of those who wrote it.
 *
 * @throws BundleError when it is no archive, Error when it has no Rego
 */
export function sourcesInBundle(bundle: Buffer): ReadonlyMap<string, string> {
  const { maxBytes, maxEntries } = BUNDLE_LIMITS
  const entries = readTar(gunzipSync(bundle, { maxOutputLength: maxBytes }), {
    maxEntries,
    maxEntryBytes: maxBytes,
  })
  const sources = new Map<string, string>()
  for (const [path, bytes] of entries) {
    if (path.endsWith('.rego') || path === 'data.json') sources.set(path, bytes.toString('utf8'))
  }
  if (![...sources.keys()].some((path) => path.endsWith('.rego')))
    throw new Error(
      'the bundle holds no Rego, so that its rules cannot be explained: it was made by something else than opa build',
    )
  return sources
}

/** @throws Error that names the file */
export async function readBundleFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new Error(`the bundle ${path} cannot be read`, { cause })
  }
}
