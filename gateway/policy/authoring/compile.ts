import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ENTRYPOINT } from '../bundles/bundle.ts'
import { OPA_VERSION, runOpa } from './opa.ts'
import { POLICIES_DIRECTORY } from './policies-directory.ts'
import { type Signing, signingFlags } from './sign-bundle.ts'

/** Rules and data by their path inside the bundle. */
export type Sources = ReadonlyMap<string, string>

export interface CompileOptions {
  readonly sources: Sources
  /** Every root named, so that the compiler takes nothing else as known. */
  readonly roots: readonly string[]
  /** By default derived from the sources, so that the same sources are the same bundle. */
  readonly revision?: string
  readonly capabilitiesPath?: string
  readonly signing?: Signing | undefined
}

/** The builtins that WebAssembly has of its own. */
export const CAPABILITIES_PATH = join(POLICIES_DIRECTORY, 'capabilities.json')

/**
 * Compiles rules to a WebAssembly bundle with the real `opa build`. Paths become part of the module, so it runs in
 * a folder of its own and names nothing but what is below it.
 *
 * -O0 because optimising gains nothing in WebAssembly, and folds away data that is only known at run time.
 */
export function compileBundle(options: CompileOptions): Promise<Buffer> {
  const { capabilitiesPath = CAPABILITIES_PATH } = options
  const flags = ['--target', 'wasm', '--optimize', '0', '--entrypoint', ENTRYPOINT]
  return opaBuild(options, [...flags, '--capabilities', capabilitiesPath])
}

/** Packs data alone with the real `opa build`: a bundle for beside the one with the rules. */
export function packData(options: Omit<CompileOptions, 'capabilitiesPath'>): Promise<Buffer> {
  return opaBuild(options, [])
}

async function opaBuild(options: CompileOptions, flags: readonly string[]): Promise<Buffer> {
  const { sources, roots, revision = revisionOf(sources), signing } = options
  const directory = await mkdtemp(join(tmpdir(), 'toolgate-policy-'))
  try {
    const stage = join(directory, 'bundle')
    for (const [path, text] of [...sources, ['.manifest', JSON.stringify({ revision, roots })] as const]) {
      await mkdir(dirname(join(stage, path)), { recursive: true })
      await writeFile(join(stage, path), text)
    }
    const output = join(directory, 'bundle.tar.gz')
    const signed = signing === undefined ? [] : await signingFlags(signing, directory)
    await runOpa(['build', '--bundle', ...flags, ...signed, '--output', output, '.'], stage)
    return await readFile(output)
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** Names the sources and the compiler, not the moment: two builds of the same rules are the same policy. */
function revisionOf(sources: Sources): string {
  const hash = createHash('sha256').update(OPA_VERSION)
  for (const [path, text] of [...sources].sort(([left], [right]) => (left < right ? -1 : 1))) {
    hash.update(`\0${path}\0${Buffer.byteLength(text)}\0`).update(text)
  }
  return hash.digest('hex').slice(0, 16)
}
