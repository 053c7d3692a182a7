import { type Command, UsageError } from '../command.ts'

const USAGE = `toolgate audit verify DIRECTORY [options]   check every log against what was signed, offline
toolgate audit key [DIRECTORY]             print the keys that signed there, for verifiers

\`toolgate audit verify --help\` says more, and so does the other.
`

export const audit: Command = {
  summary: 'verify the audit logs, print their keys',
  usage: USAGE,
  subcommands: new Map([
    ['verify', async () => (await import('./verify.ts')).verify],
    ['key', async () => (await import('./key.ts')).key],
  ]),
  run([name]) {
    return Promise.reject(
      new UsageError(
        name === undefined ? 'which command of audit?' : `audit has no command ${JSON.stringify(name)}`,
      ),
    )
  },
}
