import type { LimitState } from '../exchange.ts'

/** What needs neither replacing nor escaping: every name that an operator is likely to choose. */
const PLAIN = /^[ !#-[\]-~]*$/
const NOT_PRINTABLE_ASCII = /[^\x20-\x7e]/gu
const QUOTE_OR_BACKSLASH = /["\\]/g

/**
 * `RateLimit-Policy` and `RateLimit` as a flat name, value list (draft-ietf-httpapi-ratelimit-headers-10 §3, §4):
 * `q` calls per `w` seconds; `r` calls left now, and `t` seconds until the quota is whole again. Empty without limits.
 */
export function rateLimitHeaders(states: readonly LimitState[]): string[] {
  if (states.length === 0) return []
  const policies: string[] = []
  const limits: string[] = []
  for (const { name, quota, windowMs, remaining, resetMs } of states) {
    const item = structuredString(name)
    policies.push(`${item};q=${Math.floor(quota)};w=${seconds(windowMs)}`)
    limits.push(`${item};r=${Math.max(0, Math.floor(remaining))};t=${seconds(resetMs)}`)
  }
  return ['RateLimit-Policy', policies.join(', '), 'RateLimit', limits.join(', ')]
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
