import type { KeyObject } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { BundleAlgorithm } from '../../gateway/config/policy-config.ts'
import { ENTRYPOINT } from '../../gateway/policy/bundles/bundle.ts'
import { readTar } from '../../gateway/policy/bundles/tar.ts'
import { FRIEND_RULES, runOpa } from './opa.ts'
import { generate } from './signing.ts'
import { tar } from './tar.ts'
import { temporaryDirectory } from './temporary-directory.ts'

export interface BundleKey {
  readonly algorithm: BundleAlgorithm
  readonly privateKey: KeyObject
  readonly publicPem: string
}

export function createBundleKey(algorithm: BundleAlgorithm): BundleKey {
  const { publicKey, privateKey } = generate(algorithm)
  return { algorithm, privateKey, publicPem: String(publicKey.export({ type: 'spki', format: 'pem' })) }
}

export interface SignOptions {
  readonly key: BundleKey
  readonly rules?: string
  readonly revision?: string
  /** JSON text below `data.registry`, as it shall be written. */
  readonly registry?: string
  readonly roots?: readonly string[]
  readonly entrypoint?: string
  readonly scope?: string
  readonly keyId?: string
  /** Further claims; the key's id is not written beside them. */
  readonly claims?: Readonly<Record<string, unknown>>
}

/** A bundle that the real `opa build` made and signed. */
export async function signedBundle(options: SignOptions): Promise<Buffer> {
  const { key, rules = FRIEND_RULES, revision = 'signed', registry = '{}', scope, keyId, claims } = options
  const { roots = ['gateway', 'registry'], entrypoint = ENTRYPOINT } = options
  await using folder = await temporaryDirectory()
  const stage = join(folder.path, 'bundle')
  const manifest = JSON.stringify({ revision, roots })
  await writeAll(stage, {
    '.manifest': manifest,
    'gateway/decision.rego': `package gateway.decision\n\n${rules}\n`,
    'registry/data.json': registry,
  })
  const signing = await signingFlags(folder.path, key, { ...claims, ...(scope && { scope }) })
  const output = join(folder.path, 'bundle.tar.gz')
  const flags = ['--bundle', '--target', 'wasm', '--optimize', '0', '--entrypoint', entrypoint]
  const named = keyId === undefined ? [] : ['--verification-key-id', keyId]
  await runOpa(['build', ...flags, ...signing, ...named, '--output', output, '.'], stage)
  return await readFile(output)
}

export interface DataBundleOptions {
  /** JSON text at each root, as it shall be written. */
  readonly roots: Readonly<Record<string, string>>
  readonly revision?: string
  readonly key?: BundleKey
  readonly claims?: Readonly<Record<string, unknown>>
}

/** A bundle of data alone that the real `opa build` made, and signed where there is a key. */
export async function dataBundle({
  roots,
  revision = 'data',
  key,
  claims = {},
}: DataBundleOptions): Promise<Buffer> {
  await using folder = await temporaryDirectory()
  const stage = join(folder.path, 'bundle')
  const files = Object.entries(roots).map(([root, text]) => [`${root}/data.json`, text])
  const manifest = JSON.stringify({ revision, roots: Object.keys(roots) })
  await writeAll(stage, { '.manifest': manifest, ...Object.fromEntries(files) })
  const signing = key === undefined ? [] : await signingFlags(folder.path, key, claims)
  const output = join(folder.path, 'bundle.tar.gz')
  await runOpa(['build', '--bundle', ...signing, '--output', output, '.'], stage)
  return await readFile(output)
}

/** Signs a folder of these files with the real `opa sign`; the text of its `.signatures.json`. */
export async function signFiles(files: Readonly<Record<string, string>>, key: BundleKey): Promise<string> {
  await using folder = await temporaryDirectory()
  const stage = join(folder.path, 'bundle')
  await writeAll(stage, files)
  const signing = await signingFlags(folder.path, key, {})
  await runOpa(['sign', '--bundle', ...signing, '--output-file-path', folder.path, '.'], stage)
  return await readFile(join(folder.path, '.signatures.json'), 'utf8')
}

/** The files of a bundle by name. */
export function entriesOf(bundle: Buffer): ReadonlyMap<string, Buffer> {
  return readTar(gunzipSync(bundle), { maxEntries: 10_000, maxEntryBytes: 1 << 28 })
}

export function bundleOf(entries: Iterable<readonly [string, string | Buffer]>): Buffer {
  return gzipSync(tar([...entries].map(([name, content]) => ({ name, content }))))
}

async function signingFlags(folder: string, key: BundleKey, claims: object): Promise<readonly string[]> {
  const keyFile = join(folder, 'key.pem')
  await writeFile(keyFile, key.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  const flags = ['--signing-key', keyFile, '--signing-alg', key.algorithm]
  if (Object.keys(claims).length === 0) return flags
  const claimsFile = join(folder, 'claims.json')
  await writeFile(claimsFile, JSON.stringify(claims))
  return [...flags, '--claims-file', claimsFile]
}

async function writeAll(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
  }
}
