#!/usr/bin/env node
import { check } from './cli/check.ts'
import type { Command, ExitCode, Surroundings } from './cli/command.ts'
import { UsageError } from './cli/command.ts'
import { config } from './cli/config.ts'
import { dev } from './cli/dev.ts'
import { start } from './cli/start.ts'
import { ConfigError } from './config/problem.ts'

const COMMANDS = new Map<string, Command>([
  ['start', start],
  ['check', check],
  ['config', config],
  ['dev', dev],
])

const HELP = `toolgate: every tool call of an AI agent, proven, decided, limited, forwarded and recorded

${[...COMMANDS].map(([name, { summary }]) => `  toolgate ${name.padEnd(8)} ${summary}`).join('\n')}

Exit codes: 0 done · 1 failed · 2 wrong usage or configuration · 3 refused by the gateway · 4 error of the upstream
`

async function run(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const [name = '', ...rest] = args
  const command = COMMANDS.get(name)
  if (command === undefined) {
    const isHelp = name === '' || name === 'help' || name === '--help' || name === '-h'
    if (isHelp) surroundings.print(HELP)
    else surroundings.complain(`toolgate: no command is called ${JSON.stringify(name)}\n\n${HELP}`)
    return isHelp ? 0 : 2
  }
  if (rest[0] === '--help' || rest[0] === '-h') {
    surroundings.print(command.usage)
    return 0
  }
  try {
    return await command.run(rest, surroundings)
  } catch (error) {
    return explain(error, command, surroundings)
  }
}

function explain(error: unknown, command: Command, { complain }: Surroundings): ExitCode {
  if (error instanceof ConfigError) {
    complain(`toolgate: the configuration has mistakes, nothing was started\n`)
    for (const { path, reason } of error.problems) complain(`  ${path}: ${reason}\n`)
    return 2
  }
  if (error instanceof UsageError || isParseArgsError(error)) {
    complain(`toolgate: ${(error as Error).message}\n\n${command.usage}`)
    return 2
  }
  complain(`toolgate: ${error instanceof Error ? describe(error) : String(error)}\n`)
  return 1
}

function describe(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${describe(error.cause)}` : error.message
}

function isParseArgsError(error: unknown): boolean {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
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
