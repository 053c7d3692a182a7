import { assertNever } from '../lib/assert-never.ts'
import { renderAtlassian } from './atlassian.ts'
import { renderGithub } from './github.ts'
import { renderProblem, renderTask } from './problem.ts'
import type { RefusalContext, RenderedRefusal } from './problem.ts'
import { renderSlack } from './slack.ts'

/**
 * The tongues in which the gateway says no. Each wraps the RFC 9457 members in the vendor's own error body, with
 * the status that makes the vendor's SDK raise one typed error and send nothing again.
 */
export type DialectName = 'github' | 'slack' | 'atlassian' | 'problem'

/** Renders `context` as the vendor would; pure, and never throws for a row of the table. */
export function renderRefusal(dialect: DialectName, context: RefusalContext): RenderedRefusal {
  // Only who asked for it gets 202 (RFC 7240 §4.1), and so understands a task, which no vendor has a body for.
  if (context.refusal.code === 'approval.pending') return renderTask(context)
  switch (dialect) {
    case 'github':
      return renderGithub(context)
    case 'slack':
      return renderSlack(context)
    case 'atlassian':
      return renderAtlassian(context)
    case 'problem':
      return renderProblem(context)
    default:
      return assertNever(dialect)
  }
}
