import { endianness } from 'node:os'
import { eachRun, textIn } from './encoded-text.ts'
import type { FoundNames } from './findings.ts'
import { hiddenIn, isHiding, visibleText } from './hidden-text.ts'
import { isHighEntropy } from './entropy.ts'
import { isEmail, mayBeginPersonal } from './personal-data.ts'
import { AT_BUCKET, DIGIT_BUCKET, type SearchPlan } from './search-plan.ts'
import { foldCode } from './text-rule.ts'

const FOLD = Uint8Array.from({ length: 128 }, (_, code) => foldCode(code))

/** Read from an array of numbers, a text takes half the time that its own characters do; pieces of it, as it may be long. */
const PIECE_CHARACTERS = 4_096
/** What is shorter is not worth the way into the native code that copies. */
const SHORT_CHARACTERS = 64
const piece = new Uint16Array(PIECE_CHARACTERS)
const pieceBytes = Buffer.from(piece.buffer)
const isBigEndian = endianness() === 'BE'

/** What is encoded in what is encoded is looked at; what is in that is not. */
const MOST_LAYERS = 2
const SHORTEST_ENCODED = 32

/**
 * Looks through one text, in time that is linear in its length whatever it holds: each character is read once, a rule
 * is asked only where its literal may stand, and no rule looks at more than a bounded number of characters.
 */
export function searchText(plan: SearchPlan, text: string, found: FoundNames, layer = 0): void {
  const hides = searchCharacters(plan, text, found)
  if (layer >= MOST_LAYERS) return
  if (hides) {
    const visible = visibleText(text)
    if (visible !== text) searchText(plan, visible, found, MOST_LAYERS)
  }
  if (text.length < SHORTEST_ENCODED) return
  eachRun(text, (run) => {
    const inner = textIn(run)
    if (inner !== undefined) searchText(plan, inner, found, layer + 1)
    else if (plan.looksForEntropy && isHighEntropy(run)) found.add('high_entropy')
  })
}

/** Answers whether there is something in it that a screen shows otherwise than a model reads it. */
function searchCharacters(plan: SearchPlan, text: string, found: FoundNames): boolean {
  const { pairs } = plan
  let previous = 0
  let hides = false
  for (let from = 0; from < text.length;) {
    const length = takePiece(text, from)
    let at = 0
    for (; at < length; at += 1) {
      const code = piece[at] as number
      if (code >= 128) {
        const end = pastForeign(plan, text, from + at, found)
        if (end < 0) hides = true
        at = Math.abs(end) - from - 1
        previous = 0
        continue
      }
      const bucket = pairs[(previous << 7) | code] as number
      if (bucket !== 0) tryBucket(plan, bucket, text, from + at, found)
      previous = code
    }
    from += at
  }
  return hides
}

/** How many characters there are of it from `from` on, at most a piece. */
function takePiece(text: string, from: number): number {
  const isAll = from === 0 && text.length <= PIECE_CHARACTERS
  const taken = isAll ? text : text.slice(from, from + PIECE_CHARACTERS)
  if (taken.length < SHORT_CHARACTERS) {
    for (let at = 0; at < taken.length; at += 1) piece[at] = taken.charCodeAt(at)
    return taken.length
  }
  pieceBytes.write(taken, 'utf16le')
  if (isBigEndian) pieceBytes.swap16()
  return taken.length
}

function tryBucket(plan: SearchPlan, bucket: number, text: string, index: number, found: FoundNames): void {
  if (bucket === DIGIT_BUCKET) {
    return tryNumber(plan, text, index, found)
  }
  if (bucket === AT_BUCKET) {
    if (!found.has('email') && isEmail(text, index)) found.add('email')
    return
  }
  for (const { rule, pivot } of plan.buckets[bucket] ?? []) {
    const start = index - 1 - pivot
    if (start < 0 || !standsAt(text, start, rule.literal, rule.anyCase) || found.has(rule.name)) continue
    if (rule.matches(text, start)) found.add(rule.name)
  }
}

/** Longer numbers are nobody's; this many digits are looked at, and no more. */
const LONGEST_NUMBER = 20

function tryNumber(plan: SearchPlan, text: string, start: number, found: FoundNames): void {
  let length = 1
  while (length < LONGEST_NUMBER && FOLD[text.charCodeAt(start + length)] === 0x30) length += 1
  if (!mayBeginPersonal(text, start, length)) return
  for (const { name, begins } of plan.digits) {
    if (!found.has(name) && begins(text, start, length)) found.add(name)
  }
}

function standsAt(text: string, start: number, literal: string, anyCase: boolean): boolean {
  for (let at = 0; at < literal.length; at += 1) {
    const code = text.charCodeAt(start + at)
    if ((anyCase && code < 128 ? FOLD[code] : code) !== literal.charCodeAt(at)) return false
  }
  return true
}

/** Just past the characters above ASCII that begin at `start`; negative where something in them is hidden. */
function pastForeign({ looksForHidden }: SearchPlan, text: string, start: number, found: FoundNames): number {
  let index = start
  let hides = false
  let run = 0
  for (; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code < 128) break
    const hidden = hiddenIn(code)
    if (hidden === 'invisible') {
      hides = true
      run += 1
      // A character of the plane of tags is two units, both of them invisible.
      if (code === 0xdb40) {
        run += 1
        index += 1
      }
      continue
    }
    if (looksForHidden && isHiding(text, index, run)) found.add('hidden_text')
    run = 0
    if (hidden === 'no') continue
    hides = true
    if (hidden === 'bidi' && looksForHidden) found.add('bidi_override')
  }
  if (looksForHidden && isHiding(text, index, run)) found.add('hidden_text')
  return hides ? -index : index
}
