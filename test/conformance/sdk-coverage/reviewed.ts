import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

/** Methods on the reviewed list of a connector, whatever their reason, sorted. */
export function reviewedMethods(connector: string): string[] {
  const text = readFileSync(new URL('reviewed.yaml', import.meta.url), 'utf8')
  const lists = parse(text) as Record<string, Record<string, string[]>>
  return Object.values(lists[connector] ?? {})
    .flat()
    .toSorted()
}
