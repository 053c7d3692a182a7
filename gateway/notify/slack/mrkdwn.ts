import { shown } from '../../approvals/visible.ts'
import { scrub } from '../../lib/scrub.ts'

const FREE_TEXT_LIMIT = 1_024

/** Three characters begin everything that Slack would make something of: mentions, links, dates, entities. */
export function escapeMrkdwn(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** A name that callers or people chose, so that it is that and nothing else, whatever is in it. */
export function nameIn(untrusted: string): string {
  // Only between backticks are asterisks, underscores and tildes letters.
  return `\`${escapeMrkdwn(shown(untrusted).replaceAll('`', 'ˋ'))}\``
}

/** Free text that somebody typed, on one line: what looks like a secret in it goes to nobody. */
export function freeIn(untrusted: string): string {
  return escapeMrkdwn(scrub(untrusted, FREE_TEXT_LIMIT))
}

/** A moment in the reader's own time zone. */
export function timeIn(ms: number): string {
  const iso = new Date(ms).toISOString()
  return `<!date^${String(Math.floor(ms / 1_000))}^{date_short_pretty} {time_secs}|${iso}>`
}

export interface Section {
  readonly type: 'section'
  readonly text: { readonly type: 'mrkdwn'; readonly text: string; readonly verbatim: true }
}

/** Longest text of a section that Slack takes. */
const SECTION_LIMIT = 3_000

/** `mrkdwn` is escaped already; where it is too long, its end is missing and said to be. */
export function section(mrkdwn: string): Section {
  const text =
    mrkdwn.length <= SECTION_LIMIT
      ? mrkdwn
      : `${mrkdwn.slice(0, SECTION_LIMIT - 40).replace(/&[a-z]*$/, '')} …`
  return { type: 'section', text: { type: 'mrkdwn', text, verbatim: true } }
}
