/** One mistake in the configuration: where it is and what is wrong with it. */
export interface ConfigProblem {
  /** Dotted path into toolgate.yaml, a variable's name or a file's. */
  readonly path: string
  readonly reason: string
}

/** Every mistake at once; nothing starts half-configured. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(({ path, reason }) => `${path}: ${reason}`).join('\n'))
    this.problems = problems
  }
}
