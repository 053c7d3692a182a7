import { createHash } from 'node:crypto'
import { gunzip } from 'node:zlib'
import { parseStrictJson } from '../../lib/strict-json.ts'
import { BundleError } from './bundle-error.ts'
import { MAX_DATA_DEPTH, MAX_DATA_VALUES } from './data-bounds.ts'
import { packagesOf } from './rego-packages.ts'
import { covers, isForRules, outsideRoots, parseRoots } from './roots.ts'
import { SIGNATURES_FILE } from './signature.ts'
import type { BundleVerifier } from './signature.ts'
import { readTar } from './tar.ts'

export const ENTRYPOINT = 'gateway/decision/decision'

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

/** What every bundle says of itself. */
interface Opened {
  /** `sha256:` and the hex digest of the bundle file, as `sha256sum` gives it. */
  readonly digest: string
  readonly revision: string
  readonly roots: readonly string[]
  /** JSON text, exactly as bundled: numbers keep every digit. */
  readonly data: Buffer
}

/** A bundle with rules whose outside is in order; nothing in it has run yet. */
export interface Bundle extends Opened {
  readonly wasm: Buffer
}

/** A bundle with nothing but data, which is merged under its roots into that of the rules. */
export type DataBundle = Opened

interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

/**
 * Opens an OPA bundle (`.tar.gz`): one `policy.wasm`, `.manifest`, `data.json`, and the Rego it was made from.
 *
 * @throws BundleError `archive`, `signature`, `manifest`, `roots`, `data`, `wasm` or `entrypoint`
 * @see https://www.openpolicyagent.org/docs/management-bundles
 */
export async function openBundle(compressed: Buffer, options: OpenOptions = {}): Promise<Bundle> {
  const entries = await unpack(compressed, options)
  refuseUnexpected(entries, (name) => RULE_FILES.has(name) || name.endsWith('.rego'))
  const { modules, ...manifest } = readManifest(entries.get('.manifest'))
  refuseOtherModules(modules)
  const wasm = entries.get('policy.wasm')
  if (wasm === undefined)
    throw new BundleError('wasm', 'the bundle has no policy.wasm: build it with -t wasm')
  const foreign = packagesOf(entries).find((path) => !manifest.roots.some((root) => covers(root, path)))
  if (foreign !== undefined) {
    throw new BundleError('roots', `the package ${foreign} is under no root of the manifest`)
  }
  return {
    ...manifest,
    digest: digestOf(compressed),
    wasm,
    data: readData(entries, manifest.roots),
  }
}

/**
 * Opens an OPA bundle of data alone: `.manifest` and `data.json`.
 *
 * @throws BundleError `archive`, `signature`, `manifest`, `roots` or `data`
 */
export async function openDataBundle(compressed: Buffer, options: OpenOptions = {}): Promise<DataBundle> {
  const entries = await unpack(compressed, options)
  refuseUnexpected(entries, (name) => DATA_FILES.has(name))
  const { modules, ...manifest } = readManifest(entries.get('.manifest'))
  if (modules.length > 0) throw new BundleError('manifest', '.manifest names a module in a bundle of data')
  const forRules = manifest.roots.find(isForRules)
  if (forRules !== undefined) {
    throw new BundleError('roots', `the root ${forRules} is for rules: data there could act as a rule`)
  }
  return { ...manifest, digest: digestOf(compressed), data: readData(entries, manifest.roots) }
}

export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

async function unpack(compressed: Buffer, options: OpenOptions): Promise<ReadonlyMap<string, Buffer>> {
  const { limits = BUNDLE_LIMITS, verify } = options
  const entries = readTar(await decompress(compressed, limits), {
    maxEntries: limits.maxEntries,
    maxEntryBytes: limits.maxBytes,
  })
  if (verify === undefined) refuseSigned(entries)
  else verify(entries)
  return entries
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

const DATA_FILES: ReadonlySet<string> = new Set(['.manifest', 'data.json', SIGNATURES_FILE])
const RULE_FILES: ReadonlySet<string> = new Set([...DATA_FILES, 'policy.wasm'])

function refuseUnexpected(entries: ReadonlyMap<string, Buffer>, isExpected: (name: string) => boolean): void {
  for (const name of entries.keys()) {
    if (isExpected(name)) continue
    throw new BundleError('archive', `the bundle holds ${name}, which no part of the gateway reads`)
  }
}

interface Manifest {
  readonly revision: string
  readonly roots: readonly string[]
  readonly modules: readonly unknown[]
}

function readManifest(bytes: Buffer | undefined): Manifest {
  if (bytes === undefined) throw new BundleError('manifest', 'the bundle has no .manifest')
  const { revision, roots, wasm } = parseJson(bytes, 'manifest')
  if (typeof revision !== 'string' || revision === '' || revision.length > 256) {
    throw new BundleError('manifest', '.manifest has no revision: build with --revision')
  }
  return { revision, roots: parseRoots(roots), modules: Array.isArray(wasm) ? wasm : [] }
}

function refuseOtherModules(modules: readonly unknown[]): void {
  if (modules.some((module) => !isObject(module) || module['module'] !== '/policy.wasm')) {
    throw new BundleError('wasm', '.manifest names a module other than /policy.wasm')
  }
  if (!modules.some((module) => isObject(module) && module['entrypoint'] === ENTRYPOINT)) {
    throw new BundleError('entrypoint', `.manifest does not name the entrypoint ${ENTRYPOINT}`)
  }
}

function readData(entries: ReadonlyMap<string, Buffer>, roots: readonly string[]): Buffer {
  const bytes = entries.get('data.json') ?? Buffer.from('{}')
  const data = parseJson(bytes, 'data')
  const forRules = Object.keys(data).find(isForRules)
  if (forRules !== undefined) {
    throw new BundleError(
      'data',
      `data.json has ${forRules}, which is for rules: data there could act as a rule`,
    )
  }
  const stray = outsideRoots(data, roots)
  if (stray !== undefined) {
    throw new BundleError('data', `data.json has ${stray}, which no root of the manifest covers`)
  }
  return bytes
}

/** Two readers, of which one verifies or merges and another evaluates, must not see different things. */
function parseJson(bytes: Buffer, problem: 'manifest' | 'data'): Record<string, unknown> {
  const reading = parseStrictJson(bytes, MAX_DATA_DEPTH, MAX_DATA_VALUES)
  if (!reading.ok)
    throw new BundleError(problem, `the ${problem} of the bundle cannot be read: ${reading.reason}`)
  if (!isObject(reading.value))
    throw new BundleError(problem, `the ${problem} of the bundle is not a JSON object`)
  return reading.value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
