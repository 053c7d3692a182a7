import type { Config } from './config.ts'
import type { ConfigProblem } from './problem.ts'

/** Settings of `approvals` that are fine alone and wrong together. */
export function approving({
  approvals: { answerWithinMs, maxPending, maxPendingPerAgent },
}: Pick<Config, 'approvals'>): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  if (answerWithinMs.min > answerWithinMs.max)
    problems.push({
      path: 'approvals.answerWithinMs.min',
      reason: 'is more than approvals.answerWithinMs.max',
    })
  if (maxPendingPerAgent > maxPending)
    problems.push({ path: 'approvals.maxPendingPerAgent', reason: 'is more than approvals.maxPending' })
  return problems
}
