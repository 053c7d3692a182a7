import { ConfigError } from '../config/problem.ts'
import { type Command, type ExitCode, RefusedError, type Surroundings, UsageError } from './command.ts'

/** Runs a command as a person called it: with its usage where they asked or erred, and mistakes instead of stack traces. */
export async function runCommand(
  command: Command,
  args: readonly string[],
  surroundings: Surroundings,
): Promise<ExitCode> {
  const [name = '', ...rest] = args
  const subcommand = await command.subcommands?.get(name)?.()
  if (subcommand !== undefined) return runCommand(subcommand, rest, surroundings)
  if (args.some(isHelp)) {
    surroundings.print(command.usage)
    return 0
  }
  try {
    return await command.run(args, surroundings)
  } catch (error) {
    return explain(error, command, surroundings)
  }
}

export function isHelp(argument: string): boolean {
  return argument === '--help' || argument === '-h'
}

function explain(error: unknown, command: Command, { complain }: Surroundings): ExitCode {
  if (error instanceof ConfigError) {
    complain(`toolgate: the configuration has mistakes, nothing was started\n`)
    for (const { path, reason } of error.problems) complain(`  ${path}: ${reason}\n`)
    return 2
  }
  if (error instanceof UsageError || isParseArgsError(error)) {
    complain(`toolgate: ${error.message}\n\n${command.usage}`)
    return 2
  }
  complain(`toolgate: ${error instanceof Error ? describe(error) : String(error)}\n`)
  return error instanceof RefusedError ? 3 : 1
}

function describe(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${describe(error.cause)}` : error.message
}

function isParseArgsError(error: unknown): error is TypeError {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}
