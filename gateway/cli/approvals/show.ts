import { parseArgs } from 'node:util'
import { systemClock } from '../../lib/clock.ts'
import { ADMIN_EXIT_CODES, ADMIN_OPTIONS, ADMIN_USAGE, createAdminClient } from '../admin-client.ts'
import type { Command } from '../command.ts'
import { paintFor } from '../policy/colours.ts'
import { describeApproval } from './describe-approval.ts'
import { pathOf, readApproval } from './read-approval.ts'

const USAGE = `toolgate approvals show ID [options]

Shows one approval, and the call that it is for, rendered from the bytes that will be sent.

${ADMIN_USAGE}
${ADMIN_EXIT_CODES}`

export const show: Command = {
  summary: 'one approval, and the call as it will be sent',
  usage: USAGE,
  async run(args, surroundings) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: ADMIN_OPTIONS,
    })
    const answer = await createAdminClient(values, surroundings).get(pathOf(positionals))
    const text = values.json
      ? `${JSON.stringify(answer, undefined, 2)}\n`
      : describeApproval(readApproval(answer), paintFor(surroundings), systemClock.nowMs())
    surroundings.print(text)
    return 0
  },
}
