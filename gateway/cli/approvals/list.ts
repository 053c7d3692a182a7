import { parseArgs } from 'node:util'
import { systemClock } from '../../lib/clock.ts'
import { printable } from '../../lib/scrub.ts'
import { table } from '../../lib/table.ts'
import { ADMIN_EXIT_CODES, ADMIN_OPTIONS, ADMIN_USAGE, createAdminClient } from '../admin-client.ts'
import { type Command, UsageError } from '../command.ts'
import { timeLeft } from './describe-approval.ts'
import { type ListedApproval, readList } from './read-approval.ts'

const USAGE = `toolgate approvals list [--state STATE]… [--limit N] [options]

Lists approvals, the newest first: those that wait for people, unless other states are asked for.

  --state STATE             pending, approved, denied, expired, revoked or consumed; may be repeated
  --limit N                 no more than so many, to 200 (50)
${ADMIN_USAGE}
${ADMIN_EXIT_CODES}`

const HEAD = ['ID', 'STATE', 'RISK', 'OPERATION', 'AGENT', 'FOR', 'YES', 'GROUPS', 'ENDS']
const LONGEST_CELL = 48

export const list: Command = {
  summary: 'what waits for people',
  usage: USAGE,
  async run(args, surroundings) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...ADMIN_OPTIONS,
        state: { type: 'string', multiple: true, default: [] },
        limit: { type: 'string' },
      },
    })
    if (values.limit !== undefined && !/^[1-9]\d{0,2}$/.test(values.limit))
      throw new UsageError('--limit is a number, to 200')
    const query = new URLSearchParams(values.state.map((state): [string, string] => ['state', state]))
    if (values.limit !== undefined) query.set('limit', values.limit)
    const answer = await createAdminClient(values, surroundings).get(`approvals?${query.toString()}`)
    if (values.json) {
      surroundings.print(`${JSON.stringify(answer, undefined, 2)}\n`)
      return 0
    }
    const found = readList(answer)
    if (found.length === 0) surroundings.complain('there is no such approval\n')
    else surroundings.print(`${table([HEAD, ...found.map((each) => row(each, systemClock.nowMs()))])}\n`)
    return 0
  },
}

function row(approval: ListedApproval, nowMs: number): string[] {
  const { id, state, risk, operation, agent, principal, given, needed, groups, ends } = approval
  return [
    printable(id, 36),
    cell(state),
    String(risk),
    cell(operation),
    cell(agent),
    cell(principal),
    `${given} of ${needed}`,
    cell(groups.join(', ')),
    timeLeft(ends, nowMs),
  ]
}

/** Agents and vendors chose most of these names. */
function cell(text: string): string {
  return printable(text, LONGEST_CELL)
}
