import { createHash } from 'node:crypto'
import type { Decided, Declared } from '../exchange.ts'

/** Everything that an approval is bound to: change any of it, and it is another call. */
export interface Bound {
  readonly method: string
  /** Scheme, host and port that the call goes to. */
  readonly origin: string
  /** Path and query, byte for byte as forwarded. */
  readonly target: string
  /** Flat name, value list in lower case, as {@link boundHeaders} gives it. */
  readonly headers: readonly string[]
  /** The exact bytes that are forwarded. */
  readonly body: Uint8Array
  readonly connector: string
  readonly operation: string
  readonly tenant: string
  readonly agent: { readonly id: string; readonly issuer: string; readonly key: string }
  readonly principal: { readonly id: string; readonly act: readonly string[] }
  /** People were shown it, and rules may turn on it. */
  readonly declared: Declared
}

/** Another number whenever the list of what is bound changes, so that no old approval fits a new meaning. */
const DOMAIN = 'toolgate approval binding 1'

/**
 * Headers that say how an answer travels, or who sent the request with which software, and nothing of what is to be done. An
 * agent that repeats a call may change them.
 */
const UNBOUND: ReadonlySet<string> = new Set(['accept-encoding', 'user-agent'])

/** The caller's headers that go upstream and matter. `passed` are the names that its connector lets through. */
export function boundHeaders(
  { headers }: Pick<Decided, 'headers'>,
  passed: ReadonlySet<string>,
): readonly string[] {
  const names = [...headers.names()].filter((name) => passed.has(name) && !UNBOUND.has(name)).sort()
  return names.flatMap((name) => headers.all(name).flatMap((value) => [name, value]))
}

/**
 * Hex SHA-256 over all of `bound`. Every text and every list stands behind its length, so that no two calls run
 * together into the same bytes; the body is hashed as it is, because a parsed one loses digits and repeated names.
 */
export function bindingOf(bound: Bound): string {
  const hash = createHash('sha256')
  const length = Buffer.alloc(8)
  const add = (bytes: Uint8Array): void => {
    length.writeBigUInt64BE(BigInt(bytes.length))
    hash.update(length).update(bytes)
  }
  // UTF-8 has one spelling for every lone surrogate, and claims of a token may hold some.
  const addText = (text: string): void => add(Buffer.from(text, 'utf16le'))
  const addList = (texts: readonly string[]): void => {
    addText(String(texts.length))
    texts.forEach(addText)
  }
  const { agent, principal, declared } = bound
  addList([DOMAIN, bound.method, bound.origin, bound.target])
  addList(bound.headers)
  add(bound.body)
  addList([bound.connector, bound.operation, bound.tenant])
  addList([agent.id, agent.issuer, agent.key])
  addText(principal.id)
  addList(principal.act)
  addList([declared.task, declared.rationale, declared.ticket, declared.rollbackPlan])
  return hash.digest('hex')
}
