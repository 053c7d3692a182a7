/** What the world outside gives a command; main.ts is the only place that reads it from the process. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly print: (text: string) => void
  readonly complain: (text: string) => void
  /** Resolves at the first SIGTERM or SIGINT; `again` aborts at the second. */
  readonly stop: { readonly requested: Promise<string>; readonly again: AbortSignal }
  /** Calls back at every SIGHUP. */
  onReload(callback: () => void): void
  readonly isTerminal: boolean
  /** What a person at the terminal answers; `undefined` where nobody sits at one. */
  ask(question: string): Promise<string | undefined>
}

/** 0 done · 1 failed · 2 wrong usage or configuration · 3 refused by the gateway · 4 error of the upstream. */
export type ExitCode = 0 | 1 | 2 | 3 | 4

export interface Command {
  readonly summary: string
  readonly usage: string
  /** Commands of its own, by the word that chooses one; loaded only when it is chosen. */
  readonly subcommands?: ReadonlyMap<string, () => Promise<Command>>
  run(args: readonly string[], surroundings: Surroundings): Promise<ExitCode>
}

/** A mistake in how a command was called; printed with its usage, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The gateway's no to what a command asked of it; exit code 3. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  /** The problem (RFC 9457) as it came. */
  readonly untrustedProblem: unknown

  constructor(message: string, untrustedProblem: unknown) {
    super(message)
    this.untrustedProblem = untrustedProblem
  }
}
