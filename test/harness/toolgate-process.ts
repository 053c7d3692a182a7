import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const MAIN = resolve(import.meta.dirname, '../../gateway/main.ts')

export interface ToolgateProcess extends AsyncDisposable {
  readonly child: ChildProcess
  /** Everything printed so far, both streams. */
  readonly output: () => string
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  /** To the whole group, if it leads one. */
  readonly signal: (name: NodeJS.Signals) => void
}

/** Runs `toolgate` as an operator would: its own process, with these arguments and variables. */
export function runToolgate(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ToolgateProcess {
  return runProcess([process.execPath, MAIN, ...args], { environment })
}

export interface ProcessOptions {
  readonly environment?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Leads a group of processes, as a command in a terminal does: disposal ends what it started, too. */
  readonly isGroup?: boolean
}

/** Runs a command with nothing of this process's environment but PATH and HOME. */
export function runProcess(
  [command = '', ...args]: readonly string[],
  { environment = {}, cwd, isGroup = false }: ProcessOptions = {},
): ToolgateProcess {
  let output = ''
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: isGroup,
    ...(cwd === undefined ? {} : { cwd }),
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...environment },
  })
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  const ended = once(child, 'close').then(
    ([code, signal]: unknown[]) => (code ?? signal) as number | NodeJS.Signals,
  )
  const signal = (name: NodeJS.Signals): void => {
    const isOver = child.exitCode !== null || child.signalCode !== null
    if (isOver || child.pid === undefined) return
    process.kill(isGroup ? -child.pid : child.pid, name)
  }
  return {
    child,
    output: () => output,
    ended,
    signal,
    async [Symbol.asyncDispose]() {
      signal('SIGKILL')
      await ended
    },
  }
}

/** Resolves once `/readyz` answers 200; rejects with the output when the process ends first. */
export async function untilReady({ ended, output }: ToolgateProcess, adminPort: number): Promise<void> {
  let gone = false
  void ended.then(() => (gone = true))
  for (;;) {
    if (gone) throw new Error(`toolgate ended before it was ready:\n${output()}`)
    const reply = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined)
    if (reply?.status === 200) return
    await pause(25)
  }
}

export function configFileIn(folder: string): string {
  return join(folder, 'toolgate.yaml')
}
