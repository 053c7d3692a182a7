#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { constants } from 'node:os'
import { join } from 'node:path'
import type { Command, ExitCode, Surroundings } from './cli/command.ts'
import { isHelp, runCommand } from './cli/run-command.ts'

// A third of a start goes into stripping types and compiling. Kept beside the packages, which are as trusted: whoever
// may write there may change the program. Where nobody may, as in an image, every start compiles anew.
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/toolgate/compiled'))

/** Loaded one by one: a command waits for its own parts only, and most need no gateway. */
const COMMANDS = new Map<string, () => Promise<Command>>([
  ['start', async () => (await import('./cli/start.ts')).start],
  ['check', async () => (await import('./cli/check.ts')).check],
  ['config', async () => (await import('./cli/config.ts')).config],
  ['dev', async () => (await import('./cli/dev.ts')).dev],
  ['audit', async () => (await import('./cli/audit/audit.ts')).audit],
  ['policy', async () => (await import('./cli/policy/policy.ts')).policy],
  ['audit', async () => (await import('./cli/audit/audit.ts')).audit],
])

async function help(): Promise<string> {
  const lines = [...COMMANDS].map(
    async ([name, load]) => `  toolgate ${name.padEnd(8)} ${(await load()).summary}`,
  )
  return `toolgate: every tool call of an AI agent, proven, decided, limited, forwarded and recorded

${(await Promise.all(lines)).join('\n')}

Exit codes: 0 done · 1 failed · 2 wrong usage or configuration · 3 refused by the gateway · 4 error of the upstream
`
}

async function run(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const [name = '', ...rest] = args
  const load = COMMANDS.get(name)
  if (load === undefined) {
    const wantsHelp = name === '' || name === 'help' || isHelp(name)
    if (wantsHelp) surroundings.print(await help())
    else surroundings.complain(`toolgate: no command is called ${JSON.stringify(name)}\n\n${await help()}`)
    return wantsHelp ? 0 : 2
  }
  return runCommand(await load(), rest, surroundings)
}

function surroundingsOf(self: NodeJS.Process): Surroundings {
  // Whoever reads the output may stop reading, as `head` does; that ends nothing here.
  self.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  const requested = Promise.withResolvers<string>()
  const again = new AbortController()
  let stops = 0
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    self.on(signal, () => {
      stops += 1
      if (stops === 1) requested.resolve(signal)
      else if (stops === 2) again.abort()
      // Whoever asks a third time has waited for something that does not end, such as a start on a hung disk.
      else self.exit(128 + constants.signals[signal])
    })
  }
  return {
    environment: self.env,
    print: (text) => void self.stdout.write(text),
    complain: (text) => void self.stderr.write(text),
    stop: { requested: requested.promise, again: again.signal },
    onReload: (callback) => void self.on('SIGHUP', callback),
    isTerminal: self.stdout.isTTY,
    ask: (question) => askAtTerminal(self, question),
  }
}

/** Ctrl-C and the end of the input are no answer. */
async function askAtTerminal(
  { stdin, stdout }: NodeJS.Process,
  question: string,
): Promise<string | undefined> {
  if (!stdin.isTTY || !stdout.isTTY) return undefined
  const { createInterface } = await import('node:readline')
  using terminal = createInterface({ input: stdin, output: stdout })
  return await new Promise((resolve) => {
    terminal.on('SIGINT', () => resolve('')).on('close', () => resolve(''))
    terminal.question(question, resolve)
  })
}

process.exitCode = await run(process.argv.slice(2), surroundingsOf(process))
