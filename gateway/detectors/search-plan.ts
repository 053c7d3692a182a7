import type { FindingKind, PiiName } from './findings.ts'
import { INJECTION_RULES } from './injection-phrases.ts'
import { DIGIT_RULES, type DigitRule } from './personal-data.ts'
import { SECRET_RULES } from './secret-formats.ts'
import { foldCode, type TextRule } from './text-rule.ts'

export interface SearchOptions {
  readonly kinds: ReadonlySet<FindingKind>
  /** Of personal data. */
  readonly pii: readonly PiiName[]
  readonly entropy: boolean
}

interface PlacedRule {
  readonly rule: TextRule
  /** Where in its literal the pair stands. */
  readonly pivot: number
}

/** What is looked for, arranged so that a text is read once; made once for a configuration. */
export interface SearchPlan {
  /** For each pair of characters, `previous << 7 | next`: 0, or the number of its bucket, which is that of the folded pair. */
  readonly pairs: Uint8Array
  /** Rules whose literal holds the pair; bucket 0 is empty. */
  readonly buckets: readonly (readonly PlacedRule[])[]
  readonly digits: readonly { readonly name: PiiName; readonly begins: DigitRule }[]
  readonly looksForSecrets: boolean
  readonly looksForHidden: boolean
  readonly looksForEntropy: boolean
}

/** Numbers of buckets that hold no rules. */
export const DIGIT_BUCKET = 254
export const AT_BUCKET = 255

export function planSearch({ kinds, pii, entropy }: SearchOptions): SearchPlan {
  const pairs = new Uint8Array(128 * 128)
  const buckets: PlacedRule[][] = [[]]
  const rules = [
    ...(kinds.has('secrets') ? SECRET_RULES : []),
    ...(kinds.has('injection') ? INJECTION_RULES : []),
  ]
  for (const rule of rules) {
    const { literal } = rule
    const pivot = pivotOf(literal)
    const at = (foldCode(literal.charCodeAt(pivot)) << 7) | foldCode(literal.charCodeAt(pivot + 1))
    if (pairs[at] === 0) {
      pairs[at] = buckets.length
      buckets.push([])
    }
    buckets[pairs[at] ?? 0]?.push({ rule, pivot })
  }
  if (buckets.length > DIGIT_BUCKET) throw new RangeError('too many pairs to look for')
  const names = kinds.has('pii') ? pii : []
  const digits = names.flatMap((name) => (name === 'email' ? [] : [{ name, begins: DIGIT_RULES[name] }]))
  if (digits.length > 0) reserve(pairs, (previous, next) => next === 0x30 && previous !== 0x30, DIGIT_BUCKET)
  if (names.includes('email')) reserve(pairs, (_previous, next) => next === 0x40, AT_BUCKET)
  return {
    pairs: unfolded(pairs),
    buckets,
    digits,
    looksForSecrets: kinds.has('secrets'),
    looksForHidden: kinds.has('injection'),
    looksForEntropy: entropy && kinds.has('secrets'),
  }
}

/** No literal is found by a digit or an `@`, so these pairs are free. */
function reserve(
  pairs: Uint8Array,
  matches: (previous: number, next: number) => boolean,
  bucket: number,
): void {
  for (let at = 0; at < pairs.length; at += 1) {
    if (!matches(at >> 7, at & 127)) continue
    if (pairs[at] !== 0) throw new RangeError('two searches begin with one pair')
    pairs[at] = bucket
  }
}

/** A table for characters as they are, so that none has to be folded when a text is read. */
function unfolded(pairs: Uint8Array): Uint8Array {
  return pairs.map((_, at) => pairs[(foldCode(at >> 7) << 7) | foldCode(at & 127)] ?? 0)
}

/** Letters of English prose and of JSON by how often they come, in thousands; what is not here is rare. */
const FREQUENT: ReadonlyMap<string, number> = new Map(
  ' 180 e127 t90 a82 o75 i70 n67 s63 h61 r60 "60 d43 l40 :30 ,30 c28 u28 m24 w24 f22 g20 y20 /20 p19 b15 v10 k8'
    .match(/.\d+/g)
    ?.map((entry) => [entry.charAt(0), Number(entry.slice(1))]),
)
const COMMON_PAIRS: ReadonlySet<string> = new Set(
  'th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro ic ne ea ra ce li ch ll be ma si om ur'.split(
    ' ',
  ),
)

/** Where the rarest two characters of a literal begin. */
function pivotOf(literal: string): number {
  let best = 0
  let least = Number.POSITIVE_INFINITY
  for (let at = 0; at + 1 < literal.length; at += 1) {
    const [first = '', second = ''] = literal.slice(at, at + 2).toLowerCase()
    if (/[0-9@]/.test(second)) continue
    const weight = COMMON_PAIRS.has(first + second) ? 4 : 1
    const frequency = (FREQUENT.get(first) ?? 1) * (FREQUENT.get(second) ?? 1) * weight
    if (frequency < least) [best, least] = [at, frequency]
  }
  return best
}
