import { parseArgs } from 'node:util'
import { type Command, type ExitCode, type Surroundings, UsageError } from '../cli/command.ts'
import { startWorld, VENDORS } from './world.ts'

const USAGE = `toolgate dev world [--audience ORIGIN] [--admin-audience ORIGIN] [--first-port N]

Runs the development issuer and the vendors' stand-ins, for a gateway that runs beside them. Their credentials are
TOOLGATE_DEV_GITHUB_TOKEN and the like, random where not set.

  --audience ORIGIN         origin of the gateway, which agents' tokens are for: http://127.0.0.1:8080
  --admin-audience ORIGIN   origin of its admin listener, which people's tokens are for: http://127.0.0.1:9090
  --first-port N            five ports from here on: issuer, github, jira, confluence, slack (8090)
`
const LAST_PORT = 65_535

export const world: Command = { summary: 'run issuer and stand-ins', usage: USAGE, run: runWorld }

async function runWorld(
  args: readonly string[],
  { environment, print, stop }: Surroundings,
): Promise<ExitCode> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      audience: { type: 'string', default: 'http://127.0.0.1:8080' },
      'admin-audience': { type: 'string', default: 'http://127.0.0.1:9090' },
      'first-port': { type: 'string', default: '8090' },
    },
  })
  const first = Number(values['first-port'])
  if (!Number.isInteger(first) || first < 1 || first + VENDORS.length > LAST_PORT)
    throw new UsageError(`${values['first-port']} is not a port with four more after it`)
  // Fixed, because the gateway's configuration in another process has to name them.
  const ports = { issuer: first, github: first + 1, jira: first + 2, confluence: first + 3, slack: first + 4 }
  await using started = await startWorld({
    ports,
    audience: values.audience,
    adminAudience: values['admin-audience'],
    tokens: tokensIn(environment),
  })
  print(`issuer      ${started.issuer}\n`)
  for (const vendor of VENDORS) print(`${vendor.padEnd(11)} ${started.origins[vendor]}\n`)
  await stop.requested
  return 0
}

function tokensIn(environment: Surroundings['environment']): Readonly<Record<string, string>> {
  return Object.fromEntries(
    VENDORS.flatMap((vendor) => {
      const token = environment[`TOOLGATE_DEV_${vendor.toUpperCase()}_TOKEN`]
      return token === undefined ? [] : [[vendor, token]]
    }),
  )
}
