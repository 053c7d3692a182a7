import { expectKeys, expectList } from '../expect.ts'
import { parseDecision } from '../parse-decision.ts'
import type { ParsedDecision } from '../parse-decision.ts'

/** What a rule on the decision log says of one event; `failed` is why it could say nothing. */
export type LogEvaluation =
  | { readonly defined: true; readonly result: unknown }
  | { readonly defined: false }
  | { readonly failed: unknown }

/** Decisions kept, the longest of them in bytes: most calls get one of very few. */
const KEPT_DECISIONS = 512
const MAX_KEPT_BYTES = 4096

/** Reads a result set; `bytes` is JSON with one character for each byte of its UTF-8. */
export type ReadDecision = (bytes: string) => ParsedDecision

/**
 * Makes a reader that remembers what it has read. Reading depends on the text alone, so the same text is the same
 * decision; it is frozen, because calls share it.
 */
export function createDecisionReader(): ReadDecision {
  const kept = new Map<string, ParsedDecision>()
  return (bytes) => {
    const known = kept.get(bytes)
    if (known !== undefined) return known
    const read = readDecision(bytes)
    if (bytes.length > MAX_KEPT_BYTES) return read
    if (kept.size === KEPT_DECISIONS) {
      for (const oldest of kept.keys()) {
        kept.delete(oldest)
        break
      }
    }
    kept.set(bytes, freeze(read))
    return read
  }
}

function readDecision(bytes: string): ParsedDecision {
  let results: unknown
  try {
    results = parseResults(bytes)
  } catch {
    return { ok: false, problem: 'the result set is not JSON in UTF-8' }
  }
  return parseDecision(results)
}

/** Reads the result set of a rule whose document may be anything. */
export function readLogEvaluation(bytes: string): LogEvaluation {
  try {
    const results = expectList(parseResults(bytes), 'the result set', 1)
    if (results.length === 0) return { defined: false }
    return { defined: true, result: expectKeys(results[0], 'the result', ['result']).result }
  } catch (failed) {
    return { failed }
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @throws SyntaxError or TypeError when it is not JSON in UTF-8: a rule can make a text of any bytes */
function parseResults(bytes: string): unknown {
  // oxlint-disable-next-line no-control-regex
  const isAscii = !/[^\u0000-\u007f]/.test(bytes)
  return JSON.parse(isAscii ? bytes : decoder.decode(Buffer.from(bytes, 'latin1')))
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const member of Object.values(value)) freeze(member)
  return Object.freeze(value)
}
