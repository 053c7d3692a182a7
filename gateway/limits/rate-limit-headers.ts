import type { LimitState } from '../exchange.ts'

/** What needs neither replacing nor escaping: every name that an operator is likely to choose. */
const PLAIN = /^[ !#-[\]-~]*$/
const NOT_PRINTABLE_ASCII = /[^\x20-\x7e]/gu
const QUOTE_OR_BACKSLASH = /["\\]/g

/** What is said of one limit that does not change with its calls. */
interface Described {
  readonly quota: number
  readonly windowMs: number
  readonly item: string
  readonly policy: string
}

/** Limits are named in the configuration; the bound only says that nothing else can grow this map. */
const MOST_DESCRIBED = 1_024
const described = new Map<string, Described>()

/**
 * `RateLimit-Policy` and `RateLimit` as a flat name, value list (draft-ietf-httpapi-ratelimit-headers-10 §3, §4):
 * `q` calls per `w` seconds; `r` calls left now, and `t` seconds until the quota is whole again. Empty without limits.
 */
export function rateLimitHeaders(states: readonly LimitState[]): string[] {
  if (states.length === 0) return []
  let policies = ''
  let limits = ''
  for (const state of states) {
    const { item, policy } = describe(state)
    const separator = limits === '' ? '' : ', '
    policies += separator + policy
    limits += `${separator}${item};r=${Math.max(0, Math.floor(state.remaining))};t=${seconds(state.resetMs)}`
  }
  return ['RateLimit-Policy', policies, 'RateLimit', limits]
}

function describe({ name, quota, windowMs }: LimitState): Described {
  const known = described.get(name)
  if (known !== undefined && known.quota === quota && known.windowMs === windowMs) return known
  if (described.size >= MOST_DESCRIBED) described.clear()
  const item = structuredString(name)
  const made = { quota, windowMs, item, policy: `${item};q=${Math.floor(quota)};w=${seconds(windowMs)}` }
  described.set(name, made)
  return made
}

/** Rounded up: a client that waits this long is never early. */
function seconds(ms: number): number {
  return Math.max(0, Math.ceil(ms / 1000))
}

/** RFC 9651 §3.3.3: printable ASCII only, with `"` and `\` escaped. */
function structuredString(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`
  return `"${text.replace(NOT_PRINTABLE_ASCII, '?').replace(QUOTE_OR_BACKSLASH, String.raw`\$&`)}"`
}
