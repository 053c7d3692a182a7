import type { Command, ExitCode, Surroundings } from './command.ts'
import { isHelp, runCommand } from './run-command.ts'

/** Loaded one by one: a command waits for its own parts only, and most need no gateway. */
const COMMANDS = new Map<string, () => Promise<Command>>([
  ['start', async () => (await import('./start.ts')).start],
  ['check', async () => (await import('./check.ts')).check],
  ['config', async () => (await import('./config.ts')).config],
  ['dev', async () => (await import('./dev.ts')).dev],
  ['approvals', async () => (await import('./approvals/approvals.ts')).approvals],
  ['lock', async () => (await import('./lock/lock.ts')).lock],
  ['policy', async () => (await import('./policy/policy.ts')).policy],
  ['audit', async () => (await import('./audit/audit.ts')).audit],
])

async function help(): Promise<string> {
  const lines = [...COMMANDS].map(
    async ([name, load]) => `  toolgate ${name.padEnd(9)} ${(await load()).summary}`,
  )
  return `toolgate: every tool call of an AI agent, proven, decided, limited, forwarded and recorded

${(await Promise.all(lines)).join('\n')}

Exit codes: 0 done · 1 failed · 2 wrong usage or configuration · 3 refused by the gateway · 4 error of the upstream
`
}

/** Runs the command line `toolgate …args`. */
export async function runToolgate(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
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
