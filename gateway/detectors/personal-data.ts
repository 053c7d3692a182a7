import { passesEan13, passesLuhn } from './check-digits.ts'
import type { PiiName } from './findings.ts'
import { isAlphanumeric } from './text-rule.ts'

/**
 * Looks whether something begins with the number at `start`, which has `length` digits and before which none stands. It
 * is asked for every number in a text: it looks at no more than fifty characters, and makes nothing of them.
 */
export type DigitRule = (text: string, start: number, length: number) => boolean

const HYPHEN = 0x2d
const POINT = 0x2e
const SPACE = 0x20
const ZERO = 0x30
const NINE = 0x39
const LONGEST_CARD = 19

export const DIGIT_RULES: Readonly<Record<Exclude<PiiName, 'email'>, DigitRule>> = {
  card: isCard,
  iban: isIban,
  swiss_ahv: isAhv,
  us_ssn: isSsn,
}

/**
 * Whether any rule could find something at this number: told by its length alone for most, and for an IBAN by the two
 * letters of its country, where a word begins.
 */
export function mayBeginPersonal(text: string, start: number, length: number): boolean {
  if (length === 3 || length === 4 || (length >= 13 && length <= LONGEST_CARD)) return true
  return length > 1 && followsCountry(text, start)
}

/** Lengths of the groups that card numbers are printed in, as the digits of a number. */
const CARD_GROUPS: ReadonlySet<number> = new Set([4444, 44443, 465, 464])
/** Of the number that is being looked at; nothing here is asynchronous. */
const digits = new Uint8Array(LONGEST_CARD)

function isCard(text: string, start: number, length: number): boolean {
  const isWhole = length >= 13 && length <= LONGEST_CARD
  if ((!isWhole && length !== 4) || !begins(text, start)) return false
  const end = isWhole ? takeDigits(text, start, length) : takeGroups(text, start)
  const count = isWhole ? length : end.count
  return count > 0 && !continues(text, end.at) && isIssued(count) && passesLuhn(digits.subarray(0, count))
}

interface Taken {
  readonly at: number
  readonly count: number
}

function takeDigits(text: string, start: number, length: number): Taken {
  for (let index = 0; index < length; index += 1) digits[index] = text.charCodeAt(start + index) - ZERO
  return { at: start + length, count: length }
}

/** Groups with one and the same separator between them; a count of 0 where no card number is printed so. */
function takeGroups(text: string, start: number): Taken {
  const separator = text.charCodeAt(start + 4)
  const none = { at: start, count: 0 }
  if (separator !== SPACE && separator !== HYPHEN) return none
  let groups = 0
  let group = 0
  let count = 0
  let at = start
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (isDigit(code)) {
      if (count === LONGEST_CARD) return none
      digits[count] = code - ZERO
      count += 1
      group += 1
    } else if (code === separator && isDigit(text.charCodeAt(at + 1))) {
      groups = groups * 10 + group
      group = 0
    } else break
  }
  return CARD_GROUPS.has(groups * 10 + group) ? { at, count } : none
}

/** Ranges of ISO/IEC 7812 that card schemes use, by their first four digits, with the lengths that they use them at. */
const ISSUERS: readonly (readonly [from: number, to: number, lengths: readonly number[]])[] = [
  [4000, 4999, [13, 16, 19]],
  [5100, 5599, [16]],
  [2221, 2720, [16]],
  [3400, 3499, [15]],
  [3700, 3799, [15]],
  [3000, 3059, [14]],
  [3095, 3095, [14]],
  [3600, 3699, [14]],
  [3800, 3999, [14]],
  [6011, 6011, [16, 17, 18, 19]],
  [6440, 6599, [16, 17, 18, 19]],
  [6200, 6299, [16, 17, 18, 19]],
  [3528, 3589, [16, 17, 18, 19]],
]

function isIssued(count: number): boolean {
  const [a = 0, b = 0, c = 0, d = 0] = digits
  const first = a * 1000 + b * 100 + c * 10 + d
  return ISSUERS.some(([from, to, lengths]) => first >= from && first <= to && lengths.includes(count))
}

const AHV = /756(?:\d{10}|\.\d{4}\.\d{4}\.\d{2})(?!\d)/y

function isAhv(text: string, start: number, length: number): boolean {
  if ((length !== 3 && length !== 13) || text.charCodeAt(start) !== ZERO + 7) return false
  const matched = begins(text, start) ? matchAt(AHV, text, start) : undefined
  return matched !== undefined && passesEan13(matched.replaceAll('.', ''))
}

const SSN = /(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\d-])/y
/** Printed in advertisements, and in every example since. */
const NEVER_ISSUED: ReadonlySet<string> = new Set(['078051120', '219099999', '123456789'])

/** Without its hyphens it is any number of nine digits. */
function isSsn(text: string, start: number, length: number): boolean {
  if (length !== 3 || !begins(text, start)) return false
  const separator = text.charCodeAt(start + 3)
  if (separator !== HYPHEN && separator !== SPACE) return false
  const matched = matchAt(SSN, text, start)
  return matched !== undefined && !NEVER_ISSUED.has(matched.replaceAll(/\D/g, ''))
}

/** Length of an IBAN by country, as the registry of ISO 13616 has it. */
const IBAN_LENGTHS: ReadonlyMap<string, number> = new Map(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 ' +
    'FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 ' +
    'LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 ' +
    'SD18 SE24 SI19 SK24 SM27 SV28 TN24 TR26 UA29 VA22 VG24 XK20'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
)

const LONGEST_PRINTED_IBAN = 42

/**
 * Found by its two check digits, before which the country stands. ISO 13616, by way of ISO/IEC 7064 MOD 97-10: what is
 * behind the check digits, then country and check digits, letters as numbers from 10 on, leave 1.
 */
function isIban(text: string, start: number, length: number): boolean {
  if (length < 2 || !followsCountry(text, start)) return false
  const wanted = IBAN_LENGTHS.get(text.slice(start - 2, start).toUpperCase())
  if (wanted === undefined) return false
  let rest = 0
  let taken = 4
  let at = start + 2
  for (; taken < wanted && at < start + LONGEST_PRINTED_IBAN; at += 1) {
    const code = text.charCodeAt(at)
    if (code === SPACE) continue
    if (!isAlphanumeric(code)) return false
    rest = append(rest, code)
    taken += 1
  }
  for (let index = start - 2; index < start + 2; index += 1) rest = append(rest, text.charCodeAt(index))
  return taken === wanted && rest === 1 && !continues(text, at)
}

/** Whether two letters stand before it, and nothing of a word before them. */
function followsCountry(text: string, start: number): boolean {
  if (start < 2 || !isLetter(text.charCodeAt(start - 1)) || !isLetter(text.charCodeAt(start - 2)))
    return false
  return start === 2 || !isAlphanumeric(text.charCodeAt(start - 3))
}

/** The remainder by 97 of a number that has one more character. */
function append(rest: number, code: number): number {
  if (code <= NINE) return (rest * 10 + code - ZERO) % 97
  return (rest * 100 + (code & 0x5f) - 55) % 97
}

const DOMAIN = /(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,4}[A-Za-z]{2,24}(?![A-Za-z0-9])/y

/** An address around the `@` at `at`; of its local part the last character says enough. */
export function isEmail(text: string, at: number): boolean {
  if (at === 0 || !isAlphanumeric(text.charCodeAt(at - 1))) return false
  DOMAIN.lastIndex = at + 1
  return DOMAIN.test(text)
}

/** Whether a number can begin here, which it does not in the middle of an identifier or behind a decimal point. */
function begins(text: string, start: number): boolean {
  if (start === 0) return true
  const before = text.charCodeAt(start - 1)
  if (before !== HYPHEN && before !== POINT) return !isAlphanumeric(before)
  return start === 1 || !isAlphanumeric(text.charCodeAt(start - 2))
}

function continues(text: string, end: number): boolean {
  return end < text.length && isAlphanumeric(text.charCodeAt(end))
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE
}

function isLetter(code: number): boolean {
  return isAlphanumeric(code) && code > NINE
}

function matchAt(pattern: RegExp, text: string, start: number): string | undefined {
  pattern.lastIndex = start
  return pattern.exec(text)?.[0]
}
