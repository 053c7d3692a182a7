import type { Admitted, ReadBody } from '../exchange.ts'
import { withoutEscapes, withoutPercents } from './encoded-text.ts'
import { FoundNames, type Findings } from './findings.ts'
import type { SearchPlan } from './search-plan.ts'
import { searchText } from './text-search.ts'

/** Escapes within escapes: Slack takes JSON in a form, and Jira JSON in JSON. */
const MOST_ESCAPES = 3

type Searched = Pick<Admitted, 'pathParams' | 'query' | 'declared'>

/**
 * Looks through everything of a request that its upstream or a person will read: path, query, what was declared, and the
 * body as it was read. The body is not parsed once more; its text with the escapes undone is searched as it stands,
 * names, values and numbers alike.
 */
export function searchRequest(
  plan: SearchPlan,
  call: Searched,
  content: ReadBody,
  limitBytes: number,
): Findings {
  const found = new FoundNames()
  searchText(plan, headOf(call), found)
  const { kind, bytes } = content
  if (bytes.length === 0) return found.findings()
  searchText(plan, unescaped(textOf(bytes, kind, limitBytes)), found)
  // Where policy reads a body, padding must not hide a part of it. Of files it knows that it does not see them.
  if (bytes.length > limitBytes && (kind === 'json' || kind === 'form') && plan.looksForSecrets)
    found.add('unscanned')
  return found.findings()
}

function headOf({ pathParams, query, declared }: Searched): string {
  const { task, rationale, ticket, rollbackPlan } = declared
  let head = query === '' ? '' : unescaped(withoutPercents(query))
  for (const name in pathParams) head += `\n${pathParams[name]}`
  for (const text of [task, rationale, ticket, rollbackPlan]) if (text !== '') head += `\n${text}`
  return head
}

function textOf(bytes: Buffer, kind: ReadBody['kind'], limitBytes: number): string {
  const text = bytes.toString('utf8', 0, limitBytes)
  return kind === 'form' ? withoutPercents(text) : text
}

/** Undoes escapes for as long as there are any. */
export function unescaped(text: string): string {
  let plain = text
  for (let round = 0; round < MOST_ESCAPES && plain.includes('\\'); round += 1) plain = withoutEscapes(plain)
  return plain
}
