import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { covers, overlap } from '../bundles/roots.ts'
import type { Sources } from './compile.ts'

/** Rules of the gateway, and OPA's own on what the decision log may hold. */
export const RULE_FOLDERS = ['gateway', 'system'] as const

/** Those of them that a policy folder has. */
export async function ruleFolders(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => [])
  const found = new Set(entries.filter((entry) => entry.isDirectory()).map(({ name }) => name))
  return RULE_FOLDERS.filter((name) => found.has(name))
}

/**
 * The rules below `directory` without their tests, and the data, as they stand in a bundle: `gateway/**.rego` and
 * `system/**.rego` stay where they are, `data/a/b/data.json` becomes `a/b/data.json`.
 *
 * @throws Error when there is no rule
 */
export async function readSources(directory: string): Promise<Sources> {
  const sources = new Map<string, string>()
  const read = async (path: string, target: string): Promise<void> => {
    sources.set(target, await readFile(join(directory, path), 'utf8'))
  }
  for (const folder of RULE_FOLDERS) {
    for (const path of await filesBelow(join(directory, folder))) {
      if (path.endsWith('.rego') && !path.endsWith('_test.rego'))
        await read(`${folder}/${path}`, `${folder}/${path}`)
    }
  }
  if (![...sources.keys()].some((path) => path.startsWith('gateway/')))
    throw new Error(`${directory} has no rules: they are looked for in gateway/*.rego`)
  for (const path of await filesBelow(join(directory, 'data'))) {
    if (path === 'data.json' || path.endsWith('/data.json')) await read(`data/${path}`, path)
  }
  return sources
}

/**
 * Every root that the sources fill, so that the compiler takes nothing else as known.
 *
 * @param without paths that bundles of their own fill: what lies beside them is named folder by folder
 * @throws Error when a file holds what lies at one of these paths together with something else
 */
export function rootsOf(sources: Sources, without: readonly string[] = []): readonly string[] {
  const roots = new Set<string>(['gateway'])
  for (const [path, text] of sources) {
    const [first = ''] = path.split('/')
    const found = path === 'data.json' ? Object.keys(JSON.parse(text) as object) : [first]
    for (const root of found) {
      const divided = without.some((other) => overlap(root, other))
      const own = divided ? path.slice(0, -'/data.json'.length) : root
      const shared = divided ? without.find((other) => overlap(own, other)) : undefined
      if (shared !== undefined) throw new Error(`data/${path} lies above ${shared}, which is to be left out`)
      roots.add(own)
    }
  }
  return [...roots].sort()
}

/** The sources that lie below a path, and those that do not. */
export function divide(
  sources: Sources,
  paths: readonly string[],
): { readonly below: Sources; readonly beside: Sources } {
  const isBelow = ([file]: readonly [string, string]): boolean => paths.some((path) => covers(path, file))
  return {
    below: new Map([...sources].filter(isBelow)),
    beside: new Map([...sources].filter((source) => !isBelow(source))),
  }
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
