import { createHash } from 'node:crypto'
import { gunzip } from 'node:zlib'
import { BundleError } from './bundle-error.ts'
import { SIGNATURES_FILE } from './signature.ts'
import type { BundleVerifier } from './signature.ts'
import { readTar } from './tar.ts'

export const ENTRYPOINT = 'gateway/decision/decision'

/**
 * First parts of package names. The SDK merges data into the same tree as the rules, so data under one of these
 * could add to a deny set, or take a grant's place.
 */
const RULE_ROOTS: ReadonlySet<string> = new Set(['gateway', 'system'])

export interface BundleLimits {
  readonly maxCompressedBytes: number
  readonly maxBytes: number
  readonly maxEntries: number
}

export const BUNDLE_LIMITS: BundleLimits = {
  maxCompressedBytes: 32 * 1024 * 1024,
  maxBytes: 128 * 1024 * 1024,
  maxEntries: 4096,
}

export interface OpenOptions {
  readonly limits?: BundleLimits
  /** Without one, a signed bundle is refused; with one, an unsigned bundle is. */
  readonly verify?: BundleVerifier | undefined
}

/** A bundle whose outside is in order; nothing in it has run yet. */
export interface Bundle {
  /** `sha256:` and the hex digest of the bundle file, as `sha256sum` gives it. */
  readonly digest: string
  readonly revision: string
  readonly roots: readonly string[]
  readonly wasm: Buffer
  /** JSON text, exactly as bundled: numbers keep every digit. */
  readonly data: Buffer
}

interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

/**
 * Opens an OPA bundle (`.tar.gz`): one `policy.wasm`, `.manifest`, `data.json`, and the Rego it was made from.
 *
 * @throws BundleError `archive`, `signature`, `manifest`, `data`, `wasm` or `entrypoint`
 * @see https://www.openpolicyagent.org/docs/management-bundles
 */
export async function openBundle(compressed: Buffer, options: OpenOptions = {}): Promise<Bundle> {
  const { limits = BUNDLE_LIMITS, verify } = options
  const entries = readTar(await decompress(compressed, limits), {
    maxEntries: limits.maxEntries,
    maxEntryBytes: limits.maxBytes,
  })
  if (verify === undefined) refuseSigned(entries)
  else verify(entries)
  refuseUnexpected(entries)
  const { revision, roots } = readManifest(entries.get('.manifest'))
  const wasm = entries.get('policy.wasm')
  if (wasm === undefined)
    throw new BundleError('wasm', 'the bundle has no policy.wasm: build it with -t wasm')
  const data = entries.get('data.json') ?? Buffer.from('{}')
  checkData(data, roots)
  const digest = `sha256:${createHash('sha256').update(compressed).digest('hex')}`
  return { digest, revision, roots, wasm, data }
}

async function decompress(compressed: Buffer, limits: BundleLimits): Promise<Buffer> {
  if (compressed.length > limits.maxCompressedBytes) {
    throw new BundleError('archive', `the bundle is larger than ${limits.maxCompressedBytes} bytes`)
  }
  const { buffer, engine } = await inflate(compressed, limits.maxBytes)
  if (engine.bytesWritten !== compressed.length) {
    throw new BundleError('archive', 'the bundle has bytes after its end')
  }
  return buffer
}

function inflate(compressed: Buffer, maxOutputLength: number): Promise<Inflated> {
  return new Promise((resolve, reject) => {
    // With `info` the result tells how much input was used, which shows bytes after the gzip member.
    gunzip(compressed, { maxOutputLength, info: true }, (error, result: unknown) => {
      if (error === null && isInflated(result)) {
        resolve(result)
        return
      }
      const message = `the bundle is not gzip, is cut short, or unpacks to more than ${maxOutputLength} bytes`
      reject(new BundleError('archive', message, { cause: error }))
    })
  })
}

function isInflated(result: unknown): result is Inflated {
  return isObject(result) && Buffer.isBuffer(result['buffer']) && isObject(result['engine'])
}

/** Whoever signs expects it to be verified: it is better to find out than to go on believing so. */
function refuseSigned(entries: ReadonlyMap<string, Buffer>): void {
  if (entries.has(SIGNATURES_FILE)) {
    throw new BundleError('signature', 'the bundle is signed, but no key to verify it is configured')
  }
}

const READ_FILES: ReadonlySet<string> = new Set(['.manifest', 'policy.wasm', 'data.json', SIGNATURES_FILE])

function refuseUnexpected(entries: ReadonlyMap<string, Buffer>): void {
  for (const name of entries.keys()) {
    if (READ_FILES.has(name) || name.endsWith('.rego')) continue
    throw new BundleError('archive', `the bundle holds ${name}, which no part of the gateway reads`)
  }
}

function readManifest(bytes: Buffer | undefined): { revision: string; roots: readonly string[] } {
  if (bytes === undefined) throw new BundleError('manifest', 'the bundle has no .manifest')
  const manifest = parseJson(bytes, 'manifest')
  const { revision, roots, wasm } = manifest
  if (typeof revision !== 'string' || revision === '' || revision.length > 256) {
    throw new BundleError('manifest', '.manifest has no revision: build with --revision')
  }
  if (
    !isStringList(roots) ||
    roots.length === 0 ||
    roots.some((root) => !/^[\w-]+(?:\/[\w-]+)*$/.test(root))
  ) {
    // No roots means [""], "everything is here", which lets the optimiser fold run-time data away.
    throw new BundleError('manifest', '.manifest has to name its roots, each of them not empty')
  }
  const modules: readonly unknown[] = Array.isArray(wasm) ? wasm : []
  if (modules.some((module) => !isObject(module) || module['module'] !== '/policy.wasm')) {
    throw new BundleError('wasm', '.manifest names a module other than /policy.wasm')
  }
  if (!modules.some((module) => isObject(module) && module['entrypoint'] === ENTRYPOINT)) {
    throw new BundleError('entrypoint', `.manifest does not name the entrypoint ${ENTRYPOINT}`)
  }
  return { revision, roots }
}

function checkData(bytes: Buffer, roots: readonly string[]): void {
  const data = parseJson(bytes, 'data')
  for (const name of Object.keys(data)) {
    if (RULE_ROOTS.has(name)) {
      throw new BundleError(
        'data',
        `data.json has ${name}, which is for rules: data there could act as a rule`,
      )
    }
  }
  const stray = outsideRoots(data, '', roots)
  if (stray !== undefined) {
    throw new BundleError('data', `data.json has ${stray}, which no root of the manifest covers`)
  }
}

/** The first path that lies under no root. */
function outsideRoots(value: unknown, path: string, roots: readonly string[]): string | undefined {
  if (roots.includes(path)) return undefined
  const leadsToRoot = path === '' || roots.some((root) => root.startsWith(`${path}/`))
  if (!leadsToRoot || !isObject(value)) return path
  for (const [name, child] of Object.entries(value)) {
    const stray = outsideRoots(child, path === '' ? name : `${path}/${name}`, roots)
    if (stray !== undefined) return stray
  }
  return undefined
}

function parseJson(bytes: Buffer, problem: 'manifest' | 'data'): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch (cause) {
    throw new BundleError(problem, `the ${problem} of the bundle is not JSON in UTF-8`, { cause })
  }
  if (!isObject(value)) throw new BundleError(problem, `the ${problem} of the bundle is not a JSON object`)
  return value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
