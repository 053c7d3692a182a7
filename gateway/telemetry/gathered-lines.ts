/** How long a line may wait for others: a write of its own for each would cost as much as all that is in it. */
const GATHER_MS = 10
const GATHER_CHARACTERS = 16_384

const gathering = new Set<GatheredLines>()

function flushAll(): void {
  for (const lines of gathering) lines.flush()
}

/**
 * Lines on their way to the log. They go together, in their order, a moment after the first of them, and when the process
 * exits.
 */
export class GatheredLines implements Disposable {
  readonly #write: (lines: string) => void
  readonly #flush = (): void => this.flush()
  #lines = ''
  #timer: NodeJS.Timeout | undefined
  #isOver = false

  constructor(write: (lines: string) => void) {
    this.#write = write
    // Before the listener of the stream, which then writes what it has without waiting.
    if (gathering.size === 0) process.prependListener('exit', flushAll)
    gathering.add(this)
  }

  add(line: string): void {
    this.#lines += line
    if (this.#isOver || this.#lines.length >= GATHER_CHARACTERS) this.flush()
    else this.#timer ??= setTimeout(this.#flush, GATHER_MS)
  }

  /** Hands on what is there without waiting for more. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const lines = this.#lines
    this.#lines = ''
    if (lines !== '') this.#write(lines)
  }

  /** What comes afterwards does not wait. */
  [Symbol.dispose](): void {
    this.#isOver = true
    this.flush()
    gathering.delete(this)
    if (gathering.size === 0) process.off('exit', flushAll)
  }
}
