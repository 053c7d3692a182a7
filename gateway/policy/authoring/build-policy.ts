import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { openDataBundle } from '../bundles/bundle.ts'
import { strictMistakes } from './check-strictly.ts'
import { compileBundle, packData } from './compile.ts'
import { derivedSchemas } from './derived-schemas.ts'
import { evaluatorOf } from './evaluator-of.ts'
import { policyFile } from './policy-file.ts'
import { type Signing, verifierOf } from './sign-bundle.ts'
import { divide, readSources, rootsOf, ruleFolders } from './read-sources.ts'

const GZIP_MAGIC = 0x1f8b

export interface BuildOptions {
  /** Folder with `gateway/*.rego` and `data/`. */
  readonly directory: string
  /** Where the bundle goes; `bundle.tar.gz` in the folder unless said otherwise. */
  readonly out?: string
  readonly revision?: string
  readonly signing?: Signing | undefined
  /** Paths of data that bundles of their own hold: the bundle is made without it, and without their roots. */
  readonly without?: readonly string[]
}

export interface DataBuildOptions extends Omit<BuildOptions, 'out' | 'without'> {
  readonly out: string
  /** Paths below `data/`: the roots of the bundle. */
  readonly roots: readonly string[]
}

/** A file that is derived from others. */
export interface DerivedFile {
  readonly path: string
  readonly content: Buffer
  /** Of the content; of what is inside it where it is packed. */
  readonly sha256: string
  /** Whether the file on disk is what the sources give. */
  readonly current: boolean
}

/**
 * Makes the bundle of a policy folder, and the schema of the input beside its rules, without writing either. The
 * bundle passes every check that a gateway makes before it swaps one in.
 *
 * @throws Error in the words of `opa`, BundleError when a gateway would refuse what was built
 */
export async function derivedFiles(options: BuildOptions): Promise<readonly DerivedFile[]> {
  const { directory, out = join(directory, 'bundle.tar.gz'), revision, signing, without = [] } = options
  const verify = signing && (await verifierOf(signing))
  const { beside } = divide(await readSources(directory), without)
  const [bundle] = await Promise.all([
    compileBundle({
      sources: beside,
      roots: rootsOf(beside, without),
      signing,
      ...(revision === undefined ? {} : { revision }),
    }),
    refuseMistakes(directory),
  ])
  await evaluatorOf(await policyFile(bundle, undefined, verify))
  return [
    ...(await Promise.all(
      Object.entries(derivedSchemas()).map(([name, text]) =>
        derived(join(directory, 'schemas', name), Buffer.from(text)),
      ),
    )),
    await derived(out, bundle),
  ]
}

/** A misspelt member of the input compiles, and then never holds. */
async function refuseMistakes(directory: string): Promise<void> {
  const mistakes = await strictMistakes(directory, await ruleFolders(directory), ['--ignore', '*_test.rego'])
  if (mistakes.length > 0) throw new Error(`the rules have mistakes:\n${mistakes.join('\n')}`)
}

/**
 * Makes a bundle of some of the data of a policy folder, for beside one that was made without it.
 *
 * @throws BundleError when a gateway would refuse what was built
 */
export async function derivedData(options: DataBuildOptions): Promise<readonly DerivedFile[]> {
  const { directory, out, revision, signing, roots } = options
  const verify = signing && (await verifierOf(signing))
  const { below } = divide(await readSources(directory), roots)
  const named = revision === undefined ? {} : { revision }
  const bundle = await packData({ sources: below, roots, signing, ...named })
  await openDataBundle(bundle, { verify })
  return [await derived(out, bundle)]
}

/** Writes the files that are not current. */
export async function writeDerived(files: readonly DerivedFile[]): Promise<void> {
  for (const { path, content, current } of files) {
    if (current) continue
    await mkdir(dirname(path), { recursive: true })
    // Put in place whole: a gateway may be watching this very file.
    const draft = `${path}.${randomUUID()}`
    await writeFile(draft, content)
    await rename(draft, path)
  }
}

async function derived(path: string, content: Buffer): Promise<DerivedFile> {
  const onDisk = await readFile(path).catch(() => Buffer.alloc(0))
  const shall = unpack(content)
  return {
    path,
    content,
    sha256: createHash('sha256').update(shall).digest('hex'),
    current: unpack(onDisk).equals(shall),
  }
}

/** Compared unpacked: the same archive may be packed differently by another release of the compression code. */
function unpack(content: Buffer): Buffer {
  if (content.length < 2 || content.readUInt16BE() !== GZIP_MAGIC) return content
  try {
    return gunzipSync(content)
  } catch {
    return content
  }
}
