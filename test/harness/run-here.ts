import type { Command } from '../../gateway/cli/command.ts'
import { runCommand } from '../../gateway/cli/run-command.ts'

export interface Ran {
  readonly exitCode: number
  readonly printed: string
  readonly complained: string
}

/** Runs a command of `toolgate` in this process; `answer` is what a person at the terminal says. */
export async function runHere(
  command: Command,
  args: readonly string[],
  {
    isTerminal = false,
    environment = {},
    answer,
  }: { isTerminal?: boolean; environment?: Record<string, string>; answer?: string } = {},
): Promise<Ran> {
  let printed = ''
  let complained = ''
  const exitCode = await runCommand(command, args, {
    environment,
    isTerminal,
    ask: (question) => {
      printed += question
      return Promise.resolve(answer)
    },
    print: (text) => void (printed += text),
    complain: (text) => void (complained += text),
    stop: { requested: new Promise(() => undefined), again: new AbortController().signal },
    onReload: () => undefined,
  })
  return { exitCode, printed, complained }
}
