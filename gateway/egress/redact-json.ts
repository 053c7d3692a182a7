import { isUtf8 } from 'node:buffer'
import type { PointerNode } from './redact-pointers.ts'

export type Redaction =
  | {
      readonly ok: true
      readonly bytes: Buffer
      /** Values that were replaced. */
      readonly count: number
    }
  | { readonly ok: false; readonly reason: string }

const QUOTE = 0x22
const BACKSLASH = 0x5c
const PLUS = 0x2b
const MINUS = 0x2d
const POINT = 0x2e
const UPPER_E = 0x45
const LOWER_E = 0x65
const ZERO = 0x30
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const MAX_DEPTH = 256
/** What a string becomes: an agent that reads it knows that there is something. */
const REDACTED = Buffer.from('"[redacted]"')
/** What all else becomes: typed clients take it for any type. */
const NULL = Buffer.from('null')
const LITERALS = ['true', 'false', 'null']

const NOWHERE: readonly PointerNode[] = []

/**
 * Replaces what the pointers name in one JSON text (RFC 8259) and leaves every other byte as it is: numbers, order and spacing
 * stay the vendor's. Each of several members of one name is replaced, so that it does not matter which of them a client
 * believes; names are compared decoded. What is not exactly one JSON text in UTF-8 is not redacted, because a client
 * that reads it nonetheless could find in it what was not looked at.
 */
export function redactJson(body: Buffer, pointers: PointerNode): Redaction {
  if (!isUtf8(body)) return { ok: false, reason: 'the answer is not UTF-8' }
  const walk = new Walk(body)
  try {
    walk.text(pointers)
  } catch (thrown) {
    if (thrown instanceof NotJson) return { ok: false, reason: thrown.message }
    throw thrown
  }
  return { ok: true, bytes: walk.redacted(), count: walk.count }
}

class NotJson extends Error {
  override readonly name = 'NotJson'
}

class Walk {
  readonly #body: Buffer
  #at = 0
  #done = 0
  readonly #parts: Buffer[] = []

  constructor(body: Buffer) {
    this.#body = body
  }

  get count(): number {
    return Math.floor(this.#parts.length / 2)
  }

  redacted(): Buffer {
    return this.#parts.length === 0
      ? this.#body
      : Buffer.concat([...this.#parts, this.#body.subarray(this.#done)])
  }

  text(root: PointerNode): void {
    this.#blank()
    this.#value([root], 0)
    this.#blank()
    if (this.#at < this.#body.length) throw new NotJson('there is more than one JSON text')
  }

  /** One value; `nodes` are the places of the pointers that lead through it. */
  #value(nodes: readonly PointerNode[], depth: number): void {
    const start = this.#at
    const first = this.#body[start]
    const ends = nodes.some((node) => node.ends)
    this.#skip(first, ends ? NOWHERE : nodes, depth)
    if (!ends) return
    this.#parts.push(this.#body.subarray(this.#done, start), first === QUOTE ? REDACTED : NULL)
    this.#done = this.#at
  }

  #skip(first: number | undefined, nodes: readonly PointerNode[], depth: number): void {
    if (depth === MAX_DEPTH) throw new NotJson('the nesting is too deep')
    if (first === QUOTE) this.#string()
    else if (first === OPEN_BRACE) this.#object(nodes, depth)
    else if (first === OPEN_BRACKET) this.#array(nodes, depth)
    else if (first === MINUS || isDigit(first)) this.#number()
    else this.#literal()
  }

  #object(nodes: readonly PointerNode[], depth: number): void {
    this.#at += 1
    this.#blank()
    if (this.#takes(CLOSE_BRACE)) return
    for (;;) {
      const start = this.#at
      if (this.#body[start] !== QUOTE) throw new NotJson('a member has no name')
      this.#string()
      const below = memberNodes(nodes, () => this.#nameFrom(start))
      this.#blank()
      if (!this.#takes(COLON)) throw new NotJson('a member has no value')
      this.#blank()
      this.#value(below, depth + 1)
      this.#blank()
      if (this.#takes(CLOSE_BRACE)) return
      if (!this.#takes(COMMA)) throw new NotJson('an object does not end')
      this.#blank()
    }
  }

  #array(nodes: readonly PointerNode[], depth: number): void {
    this.#at += 1
    this.#blank()
    if (this.#takes(CLOSE_BRACKET)) return
    for (let index = 0; ; index += 1) {
      this.#value(
        memberNodes(nodes, () => String(index)),
        depth + 1,
      )
      this.#blank()
      if (this.#takes(CLOSE_BRACKET)) return
      if (!this.#takes(COMMA)) throw new NotJson('an array does not end')
      this.#blank()
    }
  }

  /** Past a string, whose escapes are checked: what one parser refuses another may read in its own way. */
  #string(): void {
    const body = this.#body
    let at = this.#at + 1
    for (; ; at += 1) {
      const code = body[at]
      if (code === QUOTE) break
      if (code === undefined) throw new NotJson('a string does not end')
      if (code < 0x20) throw new NotJson('a string holds a control character')
      if (code === BACKSLASH) at = pastEscape(body, at)
    }
    this.#at = at + 1
  }

  #nameFrom(start: number): string {
    const literal = this.#body.toString('utf8', start, this.#at)
    return literal.includes('\\') ? String(JSON.parse(literal)) : literal.slice(1, -1)
  }

  #number(): void {
    this.#takes(MINUS)
    if (!this.#takes(ZERO)) this.#digits()
    if (this.#takes(POINT)) this.#digits()
    if (!this.#takes(LOWER_E) && !this.#takes(UPPER_E)) return
    if (!this.#takes(PLUS)) this.#takes(MINUS)
    this.#digits()
  }

  #digits(): void {
    const start = this.#at
    while (isDigit(this.#body[this.#at])) this.#at += 1
    if (this.#at === start) throw new NotJson('a number is not one')
  }

  #literal(): void {
    const ahead = this.#body.toString('latin1', this.#at, this.#at + 5)
    const found = LITERALS.find((word) => ahead.startsWith(word))
    if (found === undefined) throw new NotJson(ahead === '' ? 'the text breaks off' : 'the text is not JSON')
    this.#at += found.length
  }

  #blank(): void {
    for (;;) {
      const code = this.#body[this.#at]
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
      this.#at += 1
    }
  }

  #takes(code: number): boolean {
    if (this.#body[this.#at] !== code) return false
    this.#at += 1
    return true
  }
}

/** The name is made only where a pointer asks for one. */
function memberNodes(nodes: readonly PointerNode[], nameOf: () => string): readonly PointerNode[] {
  if (nodes.length === 0) return NOWHERE
  const [first] = nodes
  if (nodes.length === 1 && first !== undefined && first.members.size === 0)
    return first.any === undefined ? NOWHERE : [first.any]
  const name = nameOf()
  const below: PointerNode[] = []
  for (const { members, any } of nodes) {
    const named = members.get(name)
    if (named !== undefined) below.push(named)
    if (any !== undefined) below.push(any)
  }
  return below
}

/** The last octet of the escape that begins at `at`. */
function pastEscape(body: Buffer, at: number): number {
  const code = body[at + 1]
  if (code !== 0x75) {
    if (code === undefined || !'"\\/bfnrt'.includes(String.fromCharCode(code)))
      throw new NotJson('an escape is not one')
    return at + 1
  }
  const digits = body.toString('latin1', at + 2, at + 6)
  if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new NotJson('an escape is not one')
  return at + 5
}

function isDigit(code: number | undefined): boolean {
  return code !== undefined && code >= ZERO && code <= ZERO + 9
}
