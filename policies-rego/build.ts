/**
 * Builds what is committed beside the rules: `node policies-rego/build.ts`. With `--check` it builds to memory and
 * says whether the committed files are what the sources give; that is what continuous integration runs.
 */
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { INPUT_V1 } from '../gateway/policy/input.ts'
import { compileBundle, readSources } from './compile.ts'

const DIRECTORY = import.meta.dirname
const GZIP_MAGIC = 0x1f8b

/** Every file that is derived from others, with the content it has to have. */
export async function derivedFiles(revision?: string): Promise<ReadonlyMap<string, Buffer>> {
  const bundle = await compileBundle({
    sources: await readSources(DIRECTORY),
    roots: ['gateway', 'registry'],
    ...(revision === undefined ? {} : { revision }),
  })
  return new Map([
    ['schemas/input.json', Buffer.from(inputSchema())],
    ['bundle.tar.gz', bundle],
  ])
}

function inputSchema(): string {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'input, version 1: what the rules know of a call; written by policies-rego/build.ts',
    ...INPUT_V1.schema,
  }
  return `${JSON.stringify(schema, null, 2)}\n`
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { check: { type: 'boolean' }, revision: { type: 'string' } } })
  let stale = 0
  for (const [name, content] of await derivedFiles(values.revision)) {
    const path = join(DIRECTORY, name)
    const committed = await readFile(path).catch(() => Buffer.alloc(2))
    // Compared unpacked: the same archive may be packed differently by another release of the compression code.
    const [is, shall] = [unpack(committed), unpack(content)]
    console.log(`${sha256(shall)}  policies-rego/${name}${name.endsWith('.gz') ? ' (unpacked)' : ''}`)
    if (is.equals(shall)) continue
    if (values.check === true) {
      stale += 1
      console.error(
        `policies-rego/${name} is not what its sources give: run node policies-rego/build.ts and commit it`,
      )
    } else {
      await writeFile(path, content)
    }
  }
  return stale === 0 ? 0 : 1
}

function unpack(content: Buffer): Buffer {
  return content.readUInt16BE() === GZIP_MAGIC ? gunzipSync(content) : content
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

if (import.meta.main) process.exitCode = await main()
