import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { runOpa } from './opa.ts'

/** Paths of the input that the rules name, such as `input.declared.ticket`, wherever they name them. */
export async function inputReads(sources: ReadonlyMap<string, string>): Promise<ReadonlySet<string>> {
  const directory = await mkdtemp(join(tmpdir(), 'toolgate-reads-'))
  try {
    const reads = new Set<string>()
    for (const [path, text] of sources) {
      if (!path.endsWith('.rego')) continue
      await mkdir(dirname(join(directory, path)), { recursive: true })
      await writeFile(join(directory, path), text)
      collectInputs(
        JSON.parse(await runOpa(['parse', '--format', 'json', path.replace(/^\//, '')], directory)),
        reads,
      )
    }
    return reads
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** Whether one of the paths is, holds, or lies within the other. */
export function overlaps(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}.`) || other.startsWith(`${one}.`)
}

/** Adds the paths of all references to the input below a node of a syntax tree of `opa`. */
export function collectInputs(node: unknown, found: Set<string>): void {
  if (Array.isArray(node)) {
    for (const child of node) collectInputs(child, found)
    return
  }
  if (!isObject(node)) return
  const path = referencePath(node)
  if (path[0] === 'input') found.add(path.join('.'))
  // The first term of a reference to the input is the variable `input`, which is not a reading of all of it.
  const below =
    node['type'] === 'ref' && Array.isArray(node['value']) ? node['value'].slice(1) : Object.values(node)
  for (const child of below as readonly unknown[]) collectInputs(child, found)
}

/** The constant beginning of a reference; empty for any other node. */
export function referencePath(node: Readonly<Record<string, unknown>>): readonly string[] {
  if (node['type'] === 'var') return [String(node['value'])]
  if (node['type'] !== 'ref' || !Array.isArray(node['value'])) return []
  const names: string[] = []
  for (const [index, term] of (node['value'] as readonly unknown[]).entries()) {
    if (!isObject(term) || (index > 0 && term['type'] !== 'string')) break
    names.push(String(term['value']))
  }
  return names
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
