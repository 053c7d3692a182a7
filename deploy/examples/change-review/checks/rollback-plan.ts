import type { Change, Check } from './check.ts'

const MENTION = /\b(?:roll[- ]?back|back[- ]?out|revert)(?:\s+plan)?\b\s*:?\s*(.*)/i
const EMPTY = /^(none|n\/?a|tbd|todo|to be (written|done|defined)|-|\.)*\.?$/i

/** Neither the ticket nor the pull request says how the change is taken back. */
export const rollbackPlan: Check = (change: Change) => {
  if (hasPlan(change.ticket) || hasPlan(change.pullRequest)) return []
  return [
    {
      check: 'rollback-plan',
      standard: 'SEC-STD-05',
      severity: 'medium',
      file: '',
      line: 0,
      evidence: 'neither the ticket nor the pull request has a rollback plan',
      advice: 'Write into the ticket how the change is taken back, and who does it.',
    },
  ]
}

/** A heading alone, or "to be written", is not a plan. */
function hasPlan(text: string): boolean {
  const lines = text.split('\n').map((line) => line.trim())
  return lines.some((line, index) => {
    const mention = MENTION.exec(line)
    if (mention === null) return false
    const plan =
      mention[1]?.trim() === ''
        ? (lines.slice(index + 1).find((next) => next !== '') ?? '')
        : (mention[1] ?? '')
    return !EMPTY.test(plan.trim())
  })
}
