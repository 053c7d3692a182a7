import { parseArgs } from 'node:util'
import { systemClock } from '../../lib/clock.ts'
import { ADMIN_EXIT_CODES, ADMIN_OPTIONS, ADMIN_USAGE, createAdminClient } from '../admin-client.ts'
import { type Command, type ExitCode, type Surroundings, UsageError } from '../command.ts'
import { paintFor } from '../policy/colours.ts'
import { describeApproval } from './describe-approval.ts'
import { pathOf, readApproval, type ShownApproval } from './read-approval.ts'

type Verdict = 'approve' | 'deny'

const COMMENT_LIMIT = 1_024
const OPTIONS = {
  ...ADMIN_OPTIONS,
  comment: { type: 'string', default: '' },
  yes: { type: 'boolean', default: false },
} as const

const usageOf = (
  verdict: Verdict,
  text: string,
) => `toolgate approvals ${verdict} ID [--comment TEXT] [--yes] [options]

${text} Shows the call first and asks; the digest of what
was shown goes with the answer, which counts only where that is what will be sent.

  --comment TEXT            why, for the record
  --yes                     do not ask: for when you have seen it
${ADMIN_USAGE}
${ADMIN_EXIT_CODES}`

export const approve: Command = {
  summary: 'let exactly this call be made, once',
  usage: usageOf('approve', 'Says yes: the agent may make exactly this call, once.'),
  run: (args, surroundings) => answer('approve', args, surroundings),
}

export const deny: Command = {
  summary: 'refuse it for good',
  usage: usageOf('deny', 'Says no, and nobody can say yes any more.'),
  run: (args, surroundings) => answer('deny', args, surroundings),
}

async function answer(
  verdict: Verdict,
  args: readonly string[],
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS })
  const path = pathOf(positionals)
  if (values.comment.length > COMMENT_LIMIT)
    throw new UsageError(`--comment has at most ${COMMENT_LIMIT} characters`)
  const client = createAdminClient(values, surroundings)
  const approval = readApproval(await client.get(path))
  // Said in JSON, what is shown would be in the way; whoever reads that has said --yes.
  if (!values.json || !values.yes) {
    surroundings.print(`${describeApproval(approval, paintFor(surroundings), systemClock.nowMs())}\n`)
  }
  if (!values.yes && !(await isConfirmed(verdict, approval, surroundings))) {
    surroundings.complain('nothing was answered\n')
    return 1
  }
  const { comment } = values
  const changed = await client.post(`${path}/votes`, { verdict, viewDigest: approval.viewDigest, comment })
  surroundings.print(
    values.json ? `${JSON.stringify(changed, undefined, 2)}\n` : outcome(readApproval(changed)),
  )
  return 0
}

async function isConfirmed(
  verdict: Verdict,
  { needed, given }: ShownApproval,
  { ask }: Surroundings,
): Promise<boolean> {
  const more = verdict === 'approve' && needed - given > 1 ? ', one more after you' : ''
  const answered = await ask(`${verdict === 'approve' ? 'Approve' : 'Deny'} this call${more}? [y/N] `)
  if (answered === undefined)
    throw new UsageError('nobody sits at a terminal to be asked; --yes is for when you have seen the call')
  return /^y(es)?$/i.test(answered.trim())
}

function outcome({ state, given, needed }: ShownApproval): string {
  switch (state) {
    case 'pending':
      return `noted; ${given} of ${needed} said yes so far\n`
    case 'approved':
      return 'approved; the agent can make the call now, once\n'
    default:
      return `${/^[a-z]{1,16}$/.test(state) ? state : 'answered'}\n`
  }
}
