import { parseArgs } from 'node:util'
import { table } from '../../lib/table.ts'
import { ADMIN_EXIT_CODES, ADMIN_OPTIONS, ADMIN_USAGE, createAdminClient } from '../admin-client.ts'
import type { Command } from '../command.ts'
import { listOf, membersOf, readLock, shown } from './read-lock.ts'

const USAGE = `toolgate lock list [options]

Lists the locks in force, the newest first, and says where the gateway does not know them.

${ADMIN_USAGE}
${ADMIN_EXIT_CODES}`

export const list: Command = {
  summary: 'what is locked',
  usage: USAGE,
  async run(args, surroundings) {
    const { values } = parseArgs({ args: [...args], options: ADMIN_OPTIONS })
    const answer = await createAdminClient(values, surroundings).get('locks')
    const { state, locks } = membersOf(answer)
    if (values.json) surroundings.print(`${JSON.stringify(answer, undefined, 2)}\n`)
    else {
      const rows = listOf(locks).map((each) => {
        const { id, scope, setAt, ends, by, reason, notes } = readLock(each)
        return [id, scope, setAt, ends || 'when released', by, [reason, ...notes].join('; ')].map(shown)
      })
      if (rows.length === 0) surroundings.complain('nothing is locked\n')
      else surroundings.print(`${table([['ID', 'SCOPE', 'SINCE', 'ENDS', 'BY', 'WHY'], ...rows])}\n`)
    }
    if (state !== 'fresh')
      surroundings.complain(
        `the gateway does not hear of its locks (${shown(String(state))}): there may be others\n`,
      )
    return state === 'fresh' ? 0 : 1
  },
}
