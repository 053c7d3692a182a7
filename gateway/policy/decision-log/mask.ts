import type { DecisionEvent } from './event.ts'
import { compareValues } from './mask-order.ts'

/** What may be masked; everything else of an event is not the caller's. */
const SECTIONS = ['input', 'result', 'nd_builtin_cache'] as const

type Section = (typeof SECTIONS)[number]

interface MaskRule {
  readonly op: 'remove' | 'upsert'
  readonly section: Section
  /** Below the section; empty for all of it. */
  readonly path: readonly string[]
  /** As the event will name it. */
  readonly pointer: string
  readonly value: unknown
}

/**
 * Reads what `data.system.log.mask` gave, in the order in which OPA applies it. As in OPA one rule that is not
 * well-formed makes all of them fail.
 *
 * @throws TypeError that says which rule is wrong, without a value of it
 */
export function parseMask(untrusted: unknown): readonly MaskRule[] {
  if (!Array.isArray(untrusted)) throw new TypeError('the mask is no set of rules')
  const rules: readonly unknown[] = untrusted
  return rules.toSorted(compareValues).map(parseRule)
}

function parseRule(untrusted: unknown): MaskRule {
  if (typeof untrusted === 'string') return ruleOf('remove', untrusted, undefined)
  if (typeof untrusted !== 'object' || untrusted === null || Array.isArray(untrusted)) {
    throw new TypeError('a mask rule is neither a pointer nor an object')
  }
  const { op, path, value } = untrusted as { op?: unknown; path?: unknown; value?: unknown }
  if (op !== 'remove' && op !== 'upsert') throw new TypeError('the op of a mask rule is not supported')
  // JSON has no undefined: OPA sets null where no value is given.
  return ruleOf(op, path, value ?? null)
}

function ruleOf(op: MaskRule['op'], pointer: unknown, value: unknown): MaskRule {
  if (typeof pointer !== 'string' || !pointer.startsWith('/')) {
    throw new TypeError('the path of a mask rule does not begin with a slash')
  }
  const [first, ...rest] = pointer.slice(1).split('/')
  const section = SECTIONS.find((name) => name === first)
  if (section === undefined) throw new TypeError('a mask rule is for something that may not be masked')
  const path = rest.map(escapePart)
  return { op, section, path, pointer: `/${[section, ...path].join('/')}`, value }
}

const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/

/**
 * As Go's `url.PathEscape`. OPA looks members up by the escaped name and knows no `~0` and `~1` (RFC 6901 §3), so that
 * a member whose name holds a space or a slash cannot be named; a mask has to take what is around it.
 */
function escapePart(part: string): string {
  if (BAD_ESCAPE.test(part)) throw new TypeError('the path of a mask rule has a % that escapes nothing')
  return encodeURIComponent(part).replace(/%(?:24|26|2B|3A|3D|40)|[!'()*]/g, (text) =>
    text.length === 1 ? `%${text.charCodeAt(0).toString(16).toUpperCase()}` : decodeURIComponent(text),
  )
}

/** The event with the rules applied one after another. Copies what it changes: the call goes on with the original. */
export function applyMask(event: DecisionEvent, rules: readonly MaskRule[]): DecisionEvent {
  if (rules.length === 0) return event
  const copied = new Copies()
  const masked: Record<string, unknown> & Partial<DecisionEvent> = { ...event }
  copied.own(masked)
  const erasedPointers: string[] = []
  const maskedPointers: string[] = []
  for (const rule of rules) {
    if (masked[rule.section] === undefined) continue
    if (rule.op === 'remove') {
      if (remove(masked, rule, copied)) erasedPointers.push(rule.pointer)
    } else if (upsert(masked, rule, copied)) maskedPointers.push(rule.pointer)
  }
  return {
    ...event,
    ...masked,
    ...(erasedPointers.length > 0 && { erased: [...(event.erased ?? []), ...erasedPointers] }),
    ...(maskedPointers.length > 0 && { masked: [...(event.masked ?? []), ...maskedPointers] }),
  }
}

type Node = Record<string, unknown> | unknown[]

/** Whether there was something to remove. */
function remove(event: Record<string, unknown>, { section, path }: MaskRule, copied: Copies): boolean {
  const key = path.at(-1)
  if (key === undefined) {
    event[section] = undefined
    return true
  }
  // OPA shortens an array in what holds it, and finds nothing that holds the section itself.
  if (path.length === 1 && Array.isArray(event[section])) return false
  if (!reaches(event[section], path)) return false
  const holder = [section, ...path.slice(0, -1)].reduce<Node>(
    (node, step) => copied.child(node, step) as Node,
    event,
  )
  if (Array.isArray(holder)) holder.splice(indexIn(holder, key) ?? holder.length, 1)
  else Reflect.deleteProperty(holder, key)
  return true
}

/** Whether the value could be put there. Objects that are missing on the way are made, elements of arrays are not. */
function upsert(event: Record<string, unknown>, { section, path, value }: MaskRule, copied: Copies): boolean {
  const key = path.at(-1)
  if (key === undefined) {
    event[section] = value
    return true
  }
  if (!isObject(event[section]) || !hasRoomFor(event[section], path)) return false
  let holder: Node = event
  for (const step of [section, ...path.slice(0, -1)]) {
    if (!Array.isArray(holder) && !Object.hasOwn(holder, step)) put(holder, step, copied.own({}))
    holder = copied.child(holder, step) as Node
  }
  put(holder, key, value)
  return true
}

function reaches(root: unknown, path: readonly string[]): boolean {
  let node = root
  for (const step of path) {
    if (!holds(node, step)) return false
    node = at(node, step)
  }
  return true
}

function hasRoomFor(root: unknown, path: readonly string[]): boolean {
  let node = root
  for (const [index, step] of path.entries()) {
    if (isObject(node)) {
      if (!Object.hasOwn(node, step)) return true
    } else if (!holds(node, step)) return false
    if (index < path.length - 1) node = at(node, step)
  }
  return true
}

function holds(node: unknown, step: string): node is Node {
  if (Array.isArray(node)) return indexIn(node, step) !== undefined
  return isObject(node) && Object.hasOwn(node, step)
}

function at(node: Node, step: string): unknown {
  return Array.isArray(node) ? node[indexIn(node, step) ?? -1] : node[step]
}

/** A name such as `__proto__` is a member like any other. */
function put(node: Node, step: string, value: unknown): void {
  const key = Array.isArray(node) ? (indexIn(node, step) ?? -1) : step
  Object.defineProperty(node, key, { value, writable: true, enumerable: true, configurable: true })
}

/** As Go's `strconv.Atoi` reads it: signs and leading zeros are allowed. */
function indexIn(list: readonly unknown[], step: string): number | undefined {
  if (!/^[+-]?\d+$/.test(step)) return undefined
  const index = Number(step)
  return index >= 0 && index < list.length ? Math.abs(index) : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Knows which objects are this event's own already. */
class Copies {
  readonly #own = new WeakSet<object>()

  own<T extends object>(value: T): T {
    this.#own.add(value)
    return value
  }

  /** The value at `step`, which may be changed: copied first unless it has been. */
  child(node: Node, step: string): unknown {
    const value = at(node, step)
    if (typeof value !== 'object' || value === null || this.#own.has(value)) return value
    const copy = this.own(Array.isArray(value) ? [...(value as unknown[])] : { ...value })
    put(node, step, copy)
    return copy
  }
}
