import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Sources } from './compile.ts'

/**
 * The rules below `directory` without their tests, and the data, as they stand in a bundle: `gateway/**.rego` stays
 * where it is, `data/a/b/data.json` becomes `a/b/data.json`.
 *
 * @throws Error when there is no rule
 */
export async function readSources(directory: string): Promise<Sources> {
  const sources = new Map<string, string>()
  const read = async (path: string, target: string): Promise<void> => {
    sources.set(target, await readFile(join(directory, path), 'utf8'))
  }
  for (const path of await filesBelow(join(directory, 'gateway'))) {
    if (path.endsWith('.rego') && !path.endsWith('_test.rego'))
      await read(`gateway/${path}`, `gateway/${path}`)
  }
  if (sources.size === 0) throw new Error(`${directory} has no rules: they are looked for in gateway/*.rego`)
  for (const path of await filesBelow(join(directory, 'data'))) {
    if (path === 'data.json' || path.endsWith('/data.json')) await read(`data/${path}`, path)
  }
  return sources
}

/** Every root that the sources fill, so that the compiler takes nothing else as known. */
export function rootsOf(sources: Sources): readonly string[] {
  const roots = new Set<string>(['gateway'])
  for (const [path, text] of sources) {
    const [first = ''] = path.split('/')
    if (path === 'data.json') for (const name of Object.keys(JSON.parse(text) as object)) roots.add(name)
    else roots.add(first)
  }
  return [...roots].sort()
}

/** Files by their path below `directory`, sorted; none where there is no such folder. */
async function filesBelow(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
      throw error
    },
  )
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return files.map((path) => path.slice(directory.length + 1)).sort()
}
