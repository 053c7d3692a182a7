import type { Connector } from '../catalog/connector.ts'
import type { BodySink } from './upstream.ts'
import { ownOrigins } from './external-address.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SLASH = 0x2f
/** `/`, `?`, `#` or the closing quote: api.example.com must not match api.example.com.evil.test. */
const ENDS_PREFIX: ReadonlySet<number> = new Set([SLASH, 0x3f, 0x23, QUOTE])
/** What every pattern begins with. */
const OPENING = Buffer.from('"http')

interface LinkPattern {
  readonly from: Buffer
  readonly to: Buffer
}

/** Where links of the upstream stand for links through the gateway, prepared once per connector. */
export type BodyLinks = readonly LinkPattern[]

/** JSON may write a slash as `\/`, and some vendors do; each form is answered in kind. */
export function prepareBodyLinks(connector: Connector, externalBase: string): BodyLinks {
  return ownOrigins(connector).flatMap((origin) => {
    const own = `"${origin}${connector.basePath}`
    const external = `"${externalBase}`
    return [pattern(own, external), pattern(escapeSlashes(own), escapeSlashes(external))]
  })
}

/**
 * Rewrites JSON strings that begin with an address of the upstream, byte by byte alike however the body was cut.
 * Nothing is parsed or printed anew, so numbers, order and spacing stay the vendor's; an address inside a string is
 * left alone. Holds back at most one address, which is why it must see the end.
 */
export function rewriteLinks(links: BodyLinks, sink: BodySink): BodySink {
  const rewriter = createRewriter(links)
  return {
    write: (chunk) => {
      const out = rewriter(chunk, false)
      return out.length === 0 || sink.write(out)
    },
    end: () => {
      const rest = rewriter(Buffer.alloc(0), true)
      if (rest.length > 0) sink.write(rest)
      sink.end()
    },
    fail: (cause) => sink.fail(cause),
  }
}

/** The same for a body that is there whole. */
export function rewriteWhole(links: BodyLinks, body: Buffer): Buffer {
  return createRewriter(links)(body, true)
}

function createRewriter(links: BodyLinks): (chunk: Buffer, final: boolean) => Buffer {
  let held: Buffer = Buffer.alloc(0)
  /** Whether what was let go ends in an odd number of backslashes, so that a quote now would be an escaped one. */
  let escaped = false

  return (chunk, final) => {
    const input = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    const out: Buffer[] = []
    let done = 0
    let end = final ? input.length : openingAtEnd(input)
    for (let at = input.indexOf(OPENING); at !== -1; at = input.indexOf(OPENING, Math.max(at + 1, done))) {
      if (endsEscaped(input, at, escaped)) continue
      const found = match(links, input, at, final)
      if (found === 'undecided') {
        end = at
        break
      }
      if (found === undefined) continue
      out.push(input.subarray(done, at), found.to)
      done = at + found.from.length
    }
    out.push(input.subarray(done, end))
    escaped = endsEscaped(input, end, escaped)
    held = input.subarray(end)
    return out.length === 1 ? (out[0] as Buffer) : Buffer.concat(out)
  }
}

function match(
  links: BodyLinks,
  input: Buffer,
  at: number,
  final: boolean,
): LinkPattern | 'undecided' | undefined {
  let undecided = false
  for (const link of links) {
    // Two bytes more than the address: what ends it may be `\/`.
    const length = Math.min(link.from.length, input.length - at)
    if (input.compare(link.from, 0, length, at, at + length) !== 0) continue
    const next = input[at + link.from.length]
    const afterNext = input[at + link.from.length + 1]
    if (next === undefined || (next === BACKSLASH && afterNext === undefined)) undecided ||= !final
    else if (ENDS_PREFIX.has(next) || (next === BACKSLASH && afterNext === SLASH)) return link
  }
  return undecided ? 'undecided' : undefined
}

/** Where the last bytes may be the beginning of an opening whose rest has not come; else the end. */
function openingAtEnd(input: Buffer): number {
  const quote = input.lastIndexOf(QUOTE)
  const length = input.length - quote
  if (quote === -1 || length >= OPENING.length) return input.length
  return input.compare(OPENING, 0, length, quote) === 0 ? quote : input.length
}

/** Whether an odd number of backslashes stands right before `end`. */
function endsEscaped(input: Buffer, end: number, before: boolean): boolean {
  let index = end - 1
  while (index >= 0 && input[index] === BACKSLASH) index -= 1
  const odd = (end - 1 - index) % 2 === 1
  return index < 0 ? odd !== before : odd
}

function pattern(from: string, to: string): LinkPattern {
  return { from: Buffer.from(from), to: Buffer.from(to) }
}

function escapeSlashes(text: string): string {
  return text.replaceAll('/', '\\/')
}
