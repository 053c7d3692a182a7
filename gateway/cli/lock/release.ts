import { parseArgs } from 'node:util'
import { ADMIN_EXIT_CODES, ADMIN_OPTIONS, ADMIN_USAGE, createAdminClient } from '../admin-client.ts'
import { type Command, UsageError } from '../command.ts'
import { membersOf, readLock, shown } from './read-lock.ts'

const USAGE = `toolgate lock release ID [--reason TEXT] [options]

Ends a lock before its time. One that takes another person is not ended by who set it; that they asked is on record then.

  --reason TEXT             why; on record
${ADMIN_USAGE}
${ADMIN_EXIT_CODES}`

const ID = /^[0-9A-Fa-f-]{36}$/

export const release: Command = {
  summary: 'let calls go on',
  usage: USAGE,
  async run(args, surroundings) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...ADMIN_OPTIONS, reason: { type: 'string' } },
    })
    const [id, ...more] = positionals
    if (id === undefined || more.length > 0) throw new UsageError('one lock at a time, by its id')
    if (!ID.test(id)) throw new UsageError(`${shown(JSON.stringify(id))} is no id of a lock`)
    const body = values.reason === undefined ? undefined : { reason: values.reason }
    const answer = await createAdminClient(values, surroundings).delete(`locks/${id.toLowerCase()}`, body)
    const { scope } = readLock(membersOf(answer)['lock'])
    surroundings.print(
      values.json ? `${JSON.stringify(answer, undefined, 2)}\n` : `released ${shown(scope)}\n`,
    )
    return 0
  },
}
