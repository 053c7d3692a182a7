import { printable } from '../../lib/scrub.ts'
import type { Paint } from '../policy/colours.ts'
import type { ShownApproval } from './read-approval.ts'

const LONGEST_VALUE = 1_024
/** A view has lines of a few thousand characters at most. */
const LONGEST_LINE = 20_000
const LONGEST_VIEW = 200_000

/** An approval for a person to read: who has to answer until when, and then exactly what they answer to. */
export function describeApproval(approval: ShownApproval, paint: Paint, nowMs: number): string {
  const { id, state, given, needed, groups, ends, created, call, votes, excluded, viewDigest, you } = approval
  const lines: [string, string][] = [
    ['call', call],
    ['since', created],
    ['answers', `${given} of ${needed} said yes`],
    ['groups', groups.join(', ')],
    ...(excluded.length === 0 ? [] : ([['not', excluded.join(', ')]] as [string, string][])),
    ...(ends === '' ? [] : ([['ends', `${ends}, ${timeLeft(ends, nowMs)}`]] as [string, string][])),
    ...votes.map(({ person, verdict, comment, at }): [string, string] => [
      verdict,
      `${person} at ${at}${comment === '' ? '' : `: ${comment}`}`,
    ]),
    ...endLines(approval),
    ...(ends === '' || you === 'entitled' ? [] : ([['you', 'may not answer it']] as [string, string][])),
    ['digest', viewDigest],
  ]
  const shown = lines.map(([name, value]) => `  ${paint('dim', safe(name).padEnd(10))}${safe(value)}\n`)
  return `${paint('bold', `${safe(id)}  ${safe(state)}`)}\n${shown.join('')}\n${viewLines(approval).join('\n')}\n`
}

/** @throws Error where the view cannot be shown as it is: nobody may answer to something else than they saw */
function viewLines({ view }: ShownApproval): readonly string[] {
  const lines = view.split('\n')
  const isWhole = view.length <= LONGEST_VIEW && lines.every((line) => printable(line, LONGEST_LINE) === line)
  if (!isWhole)
    throw new Error('the call cannot be shown here as it is, so nobody could know what they answer')
  return lines
}

function endLines({ consumedBy, revokedBy, revocationReason }: ShownApproval): [string, string][] {
  if (consumedBy !== '') return [['used', `by the call ${consumedBy}`]]
  if (revokedBy === '') return []
  return [['revoked', `${revokedBy}${revocationReason === '' ? '' : `: ${revocationReason}`}`]]
}

/** Such as `in 4 min`; empty where there is no end. */
export function timeLeft(ends: string, nowMs: number): string {
  const endsAtMs = Date.parse(ends)
  if (Number.isNaN(endsAtMs)) return ''
  const seconds = Math.max(0, Math.round((endsAtMs - nowMs) / 1_000))
  if (seconds < 120) return `in ${seconds} s`
  return seconds < 7_200 ? `in ${Math.round(seconds / 60)} min` : `in ${Math.round(seconds / 3_600)} h`
}

function safe(text: string): string {
  return printable(text, LONGEST_VALUE)
}
