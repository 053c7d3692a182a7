/** What a character of a text hides, beside what it says. */
export type Hidden = 'no' | 'invisible' | 'bidi' | 'lookalike'

/**
 * Classes of UTF-16 code units above ASCII. Tags (U+E0000) and the variation selectors behind them, which have been used
 * to write whole instructions that no screen shows, are two units each, and both of them count.
 *
 * @see Unicode TR36 §3.1; CVE-2021-42574 for the overrides of direction
 */
export function hiddenIn(code: number): Hidden {
  if (code < 0x2000) return code === 0xad || code === 0x180e ? 'invisible' : 'no'
  if (code <= 0x206f) {
    if (code === 0x202d || code === 0x202e) return 'bidi'
    return (code >= 0x200b && code <= 0x200f) || code >= 0x2060 ? 'invisible' : 'no'
  }
  if (code === 0xfeff || (code >= 0xfe00 && code <= 0xfe0f)) return 'invisible'
  // The high surrogate of U+E0000 to U+E03FF; no other plane has it, so its low half is invisible, too.
  if (code === 0xdb40) return 'invisible'
  if (code >= 0xff01 && code <= 0xff5e) return 'lookalike'
  // Letterlike and enclosed letters; mathematical alphabets are behind this surrogate.
  if ((code >= 0x2100 && code <= 0x214f) || (code >= 0x2460 && code <= 0x24ff)) return 'lookalike'
  return code === 0xd835 ? 'lookalike' : 'no'
}

const INVISIBLE =
  /[\u00ad\u180e\u200b-\u200f\u2060-\u206f\ufeff]|\p{Variation_Selector}|[\u{e0000}-\u{e03ff}]/gu
/** Each becomes up to eighteen letters: a text of them would grow until nobody can look at it. */
const LIGATURES = /[\ufdf0-\ufdfd\u3300-\u33ff]/g

/** What a model reads in it: compatibility forms as plain letters (NFKC), without what cannot be seen. */
export function visibleText(text: string): string {
  return text.replace(INVISIBLE, '').replace(LIGATURES, ' ').normalize('NFKC')
}

/**
 * So many code units of invisible characters in a row are no accident: Emoji and Arabic, Persian and Indic scripts join
 * with one or two.
 */
const LONGEST_INNOCENT_RUN = 7
/** The flag of a region is a black flag and the letters of its code as tags (Unicode TR51, annex C). */
const LONGEST_FLAG_RUN = 16
const BLACK_FLAG = '\u{1f3f4}'

/** Whether the `length` invisible code units that end before `end` hide something. */
export function isHiding(text: string, end: number, length: number): boolean {
  if (length <= LONGEST_INNOCENT_RUN) return false
  return length > LONGEST_FLAG_RUN || !text.endsWith(BLACK_FLAG, end - length)
}
