#!/usr/bin/env node
import { check } from './cli/check.ts'
import type { Command, ExitCode, Surroundings } from './cli/command.ts'
import { config } from './cli/config.ts'
import { dev } from './cli/dev.ts'
import { policy } from './cli/policy/policy.ts'
import { isHelp, runCommand } from './cli/run-command.ts'
import { start } from './cli/start.ts'

const COMMANDS = new Map<string, Command>([
  ['start', start],
  ['check', check],
  ['config', config],
  ['dev', dev],
  ['policy', policy],
])

const HELP = `toolgate: every tool call of an AI agent, proven, decided, limited, forwarded and recorded

${[...COMMANDS].map(([name, { summary }]) => `  toolgate ${name.padEnd(8)} ${summary}`).join('\n')}

Exit codes: 0 done · 1 failed · 2 wrong usage or configuration · 3 refused by the gateway · 4 error of the upstream
`

async function run(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const [name = '', ...rest] = args
  const command = COMMANDS.get(name)
  if (command === undefined) {
    const wantsHelp = name === '' || name === 'help' || isHelp(name)
    if (wantsHelp) surroundings.print(HELP)
    else surroundings.complain(`toolgate: no command is called ${JSON.stringify(name)}\n\n${HELP}`)
    return wantsHelp ? 0 : 2
  }
  return runCommand(command, rest, surroundings)
}

function surroundingsOf(self: NodeJS.Process): Surroundings {
  const requested = Promise.withResolvers<string>()
  const again = new AbortController()
  let stops = 0
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    self.on(signal, () => {
      stops += 1
      if (stops === 1) requested.resolve(signal)
      else again.abort()
    })
  }
  return {
    environment: self.env,
    print: (text) => void self.stdout.write(text),
    complain: (text) => void self.stderr.write(text),
    stop: { requested: requested.promise, again: again.signal },
    onReload: (callback) => void self.on('SIGHUP', callback),
    isTerminal: self.stdout.isTTY,
  }
}

process.exitCode = await run(process.argv.slice(2), surroundingsOf(process))
