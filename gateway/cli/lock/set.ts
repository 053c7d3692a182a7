import { parseArgs } from 'node:util'
import { parseScope } from '../../locks/scope.ts'
import { ADMIN_EXIT_CODES, ADMIN_OPTIONS, ADMIN_USAGE, createAdminClient } from '../admin-client.ts'
import { type Command, UsageError } from '../command.ts'
import { scopesHelp } from './lock.ts'
import { listOf, membersOf, readLock, shown } from './read-lock.ts'

const USAGE = `toolgate lock set SCOPE --reason TEXT [--expires 2h] [--writes] [--tokens-before TIME] [--two-person] [options]

Stops calls within a second on every gateway that shares the store: new ones, those that wait for people or for their
upstream, and streams that are open.

${scopesHelp()}
  --reason TEXT             why; on record and in what people are told
  --expires DURATION        ends by itself: 90s, 15m, 2h, 3d; stays until it is released without it
  --writes                  stops only what changes something
  --tokens-before TIME      stops only tokens issued before: RFC 3339, or now
  --two-person              takes another person to release
${ADMIN_USAGE}
${ADMIN_EXIT_CODES}`

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export const set: Command = {
  summary: 'stop calls, everywhere, now',
  usage: USAGE,
  async run(args, surroundings) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...ADMIN_OPTIONS,
        reason: { type: 'string' },
        expires: { type: 'string' },
        writes: { type: 'boolean', default: false },
        'tokens-before': { type: 'string' },
        'two-person': { type: 'boolean', default: false },
      },
    })
    const [scope, ...more] = positionals
    if (scope === undefined || more.length > 0) throw new UsageError('one scope at a time')
    if (parseScope(scope) === undefined) throw new UsageError(`${shown(JSON.stringify(scope))} is no scope`)
    if (values.reason === undefined) throw new UsageError('--reason is needed: it is what the record says')
    const answer = await createAdminClient(values, surroundings).post('locks', {
      scope,
      reason: values.reason,
      writesOnly: values.writes,
      ...(values['tokens-before'] !== undefined && { tokensBefore: values['tokens-before'] }),
      ...(values.expires !== undefined && { expiresInMs: durationOf(values.expires) }),
      release: values['two-person'] ? 'another-person' : 'anyone',
    })
    const { lock, warnings, shared, onRecord } = membersOf(answer)
    if (values.json) surroundings.print(`${JSON.stringify(answer, undefined, 2)}\n`)
    else {
      const { id, scope: locked } = readLock(lock)
      surroundings.print(`locked ${shown(locked)}\n${shown(id)}\n`)
    }
    for (const warning of listOf(warnings)) surroundings.complain(`warning: ${shown(String(warning))}\n`)
    return shared === true && onRecord === true ? 0 : 1
  },
}

function durationOf(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const ms = Number(count) * (UNITS[unit] ?? 0)
  if (ms === 0) throw new UsageError(`--expires is a duration such as 90s, 15m, 2h or 3d`)
  return ms
}
