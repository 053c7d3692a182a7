import type { Command, Surroundings } from '../../gateway/cli/command.ts'
import { runCommand } from '../../gateway/cli/run-command.ts'
import { runToolgate } from '../../gateway/cli/toolgate.ts'

export interface Ran {
  readonly exitCode: number
  readonly printed: string
  readonly complained: string
  /** Both, in the order in which they came. */
  readonly output: string
}

interface Situation {
  readonly isTerminal?: boolean
  readonly environment?: Readonly<Record<string, string>>
  /** What a person at the terminal says. */
  readonly answer?: string
}

/** Runs a command of `toolgate` in this process. */
export function runHere(command: Command, args: readonly string[], situation: Situation = {}): Promise<Ran> {
  return listening(situation, (surroundings) => runCommand(command, args, surroundings))
}

/** Runs `toolgate …args` in this process: quicker by a second than as one of its own, which a few tests show to be alike. */
export function toolgateHere(args: readonly string[], situation: Situation = {}): Promise<Ran> {
  return listening(situation, (surroundings) => runToolgate(args, surroundings))
}

async function listening(
  { isTerminal = false, environment = {}, answer }: Situation,
  run: (surroundings: Surroundings) => Promise<number>,
): Promise<Ran> {
  let printed = ''
  let complained = ''
  let output = ''
  const exitCode = await run({
    environment,
    isTerminal,
    ask: (question) => {
      printed += question
      output += question
      return Promise.resolve(answer)
    },
    print: (text) => {
      printed += text
      output += text
    },
    complain: (text) => {
      complained += text
      output += text
    },
    stop: { requested: new Promise(() => undefined), again: new AbortController().signal },
    onReload: () => undefined,
  })
  return { exitCode, printed, complained, output }
}
