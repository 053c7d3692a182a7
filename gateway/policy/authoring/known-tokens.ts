import { readTokenKeys } from '../../audit/token-keys.ts'
import type { PolicyFile } from './policy-file.ts'

/** What stands behind a token of the record, where that can be told; otherwise the token. */
export type ReadToken = (value: string) => string

/**
 * Recognises names that the data of these policies lists, such as accounts, behind the keyed tokens of a record:
 * whoever may read the key beside the record can check a guess. A token of none of them stays one, and is on no
 * list, as the name behind it was.
 */
export async function createTokenReader(
  auditDirectory: string,
  policies: readonly PolicyFile[],
): Promise<ReadToken> {
  const keys = await readTokenKeys(auditDirectory)
  if (keys.length === 0) return (value) => value
  const names = new Set<string>()
  for (const { data } of policies) collectNames(JSON.parse(data.toString('utf8')), names)
  const known = new Map(keys.flatMap((key) => [...names].map((name) => [key.tokenOf(name), name])))
  return (value) => known.get(value) ?? value
}

function collectNames(value: unknown, names: Set<string>): void {
  if (typeof value === 'string') names.add(value)
  if (typeof value !== 'object' || value === null) return
  for (const [name, child] of Object.entries(value)) {
    names.add(name)
    collectNames(child, names)
  }
}
