import { escapeMrkdwn, section, type Section } from './mrkdwn.ts'

export interface ViewSections {
  readonly sections: readonly Section[]
  /** Characters of the view that stand in them. */
  readonly shownCharacters: number
  readonly isWhole: boolean
}

const FENCE = '```'
/** Of one section, without its fences. */
const CHUNK_LIMIT = 2_900
/** Slack takes longer messages apart, or refuses them, beyond some 13,000 characters of blocks. */
const MAX_CHUNKS = 4
/**
 * With a click Slack sends the whole message back, in JSON in a form, and this listener takes 64 KiB. The rest of the
 * payload takes less than what is left.
 */
const ECHO_LIMIT_BYTES = 40_000

/** What approvers are shown, in fences that nothing in it can close, as far as a message can hold it. */
export function viewSections(view: string): ViewSections {
  const sections: Section[] = []
  let at = 0
  let echoBytes = 0
  while (at < view.length && sections.length < MAX_CHUNKS) {
    const piece = nextPiece(view, at, ECHO_LIMIT_BYTES - echoBytes)
    if (piece.end === at) break
    sections.push(section(`${FENCE}\n${fenced(view.slice(at, piece.end))}\n${FENCE}`))
    echoBytes += piece.echoBytes
    // The fence ends its line, so that the line break between two pieces is said already.
    at = view[piece.end] === '\n' ? piece.end + 1 : piece.end
  }
  return { sections, shownCharacters: Math.min(at, view.length), isWhole: at >= view.length }
}

/** Where the piece that begins at `start` has to end: at a line if one ends late enough, and never within a character. */
function nextPiece(view: string, start: number, echoLimitBytes: number): { end: number; echoBytes: number } {
  let end = start
  let length = 0
  let echoBytes = 0
  let line = { end: start, echoBytes: 0 }
  // Longer than a piece can be, so that its end is never that of half a character.
  for (const character of view.slice(start, start + CHUNK_LIMIT + 2)) {
    const next = length + fenced(character).length + Number(character === '`')
    const nextEcho = echoBytes + echoOf(character)
    if (next > CHUNK_LIMIT || nextEcho > echoLimitBytes) {
      return line.end > start ? line : { end, echoBytes }
    }
    if (character === '\n') line = { end, echoBytes }
    length = next
    echoBytes = nextEcho
    end += character.length
  }
  return { end, echoBytes }
}

/** Backticks that could close a fence are kept apart by nothing that can be seen. */
function fenced(text: string): string {
  return escapeMrkdwn(text).replaceAll(/`(?=`)/g, '`\u200b')
}

/** Bytes that a character of a message takes at most when Slack sends it back: escaped as JSON, in a form. */
function echoOf(character: string): number {
  if (/[A-Za-z0-9]/.test(character)) return 1
  if (character === '&') return 9
  if (character === '<' || character === '>') return 8 + 4
  // `\u1234` for each half of it, or `\n`, with the backslash and the rest percent-encoded.
  return character < '\u0080' ? 6 : 8 * character.length
}
