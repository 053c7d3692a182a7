import { parseArgs } from 'node:util'
import { type Command, UsageError } from '../cli/command.ts'
import { PEOPLE } from './personas.ts'
import { discoverIssuer, requestPersonToken } from './token-source.ts'

const USAGE = `toolgate dev token NAME [--admin ORIGIN] [--issuer ORIGIN]

Prints an access token of the development issuer with which that person is known at the admin listener, for an hour:

  TOOLGATE_ADMIN_TOKEN=$(npx toolgate dev token priya) npx toolgate approvals list

  --admin ORIGIN      admin listener (TOOLGATE_ADMIN, or http://127.0.0.1:9090)
  --issuer ORIGIN     the one that the listener's metadata names

People:
${[...PEOPLE].map(([name, { groups, description }]) => `  ${name.padEnd(8)}${description} (${groups.join(', ')})`).join('\n')}

Exit codes: 0 done · 1 failed · 2 wrong usage
`

export const token: Command = {
  summary: 'a token of a person',
  usage: USAGE,
  async run(args, { environment, print }) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        admin: { type: 'string', default: environment['TOOLGATE_ADMIN'] ?? 'http://127.0.0.1:9090' },
        issuer: { type: 'string' },
      },
    })
    const [name, ...more] = positionals
    if (name === undefined || !PEOPLE.has(name) || more.length > 0)
      throw new UsageError(`one person: ${[...PEOPLE.keys()].join(', ')}`)
    const issuer = values.issuer ?? (await discoverIssuer(values.admin))
    print(`${await requestPersonToken(issuer, name)}\n`)
    return 0
  },
}
