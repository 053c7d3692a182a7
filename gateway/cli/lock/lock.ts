import { LOCK_SCOPES } from '../../locks/scope.ts'
import { type Command, UsageError } from '../command.ts'

/** What can be locked, as a command says it. */
export function scopesHelp(): string {
  const rows = Object.values(LOCK_SCOPES).map(({ form, meaning }) => `  ${form.padEnd(38)}  ${meaning}\n`)
  return rows.join('')
}

const USAGE = `toolgate lock set SCOPE --reason TEXT      stop calls, everywhere, now
toolgate lock list                         what is locked
toolgate lock release ID                   let them go on

What can be locked:

${scopesHelp()}
All ask a running gateway, as the person whose token or certificate is given, or with the operators' token.
\`toolgate lock set --help\` says more, and so do the others.
`

export const lock: Command = {
  summary: 'stop calls at once: set, list and release locks',
  usage: USAGE,
  subcommands: new Map([
    ['set', async () => (await import('./set.ts')).set],
    ['list', async () => (await import('./list.ts')).list],
    ['release', async () => (await import('./release.ts')).release],
  ]),
  run([name]) {
    const reason =
      name === undefined ? 'which command of lock?' : `lock has no command ${JSON.stringify(name)}`
    return Promise.reject(new UsageError(reason))
  },
}
