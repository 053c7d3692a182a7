import { parseArgs } from 'node:util'
import { ADMIN_EXIT_CODES, ADMIN_OPTIONS, ADMIN_USAGE, createAdminClient } from '../admin-client.ts'
import type { Command } from '../command.ts'
import { pathOf } from './read-approval.ts'

const USAGE = `toolgate approvals revoke ID [--reason TEXT] [options]

Takes an approval back while no call has used it, whether it waits or was approved.

  --reason TEXT             why, for the record
${ADMIN_USAGE}
${ADMIN_EXIT_CODES}`

export const revoke: Command = {
  summary: 'take one back while it has not been used',
  usage: USAGE,
  async run(args, surroundings) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...ADMIN_OPTIONS, reason: { type: 'string', default: '' } },
    })
    const client = createAdminClient(values, surroundings)
    const answer = await client.delete(pathOf(positionals), { reason: values.reason })
    surroundings.print(values.json ? `${JSON.stringify(answer, undefined, 2)}\n` : 'revoked\n')
    return 0
  },
}
