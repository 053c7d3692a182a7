import type { Evaluated, Evaluation, EvaluationEvents } from './evaluation.ts'
import type { Question, Told } from './evaluation-thread.ts'
import type { CompiledPolicy } from './instance.ts'
import { PolicyThread } from './policy-thread.ts'
import type { Serialized } from './serialize-input.ts'

/** Calls that may wait for the thread: what it cannot decide in a second, at the slowest, is better refused. */
const MOST_WAITING = 1024

/** A thread that cannot be started, for want of memory most likely, is not tried again before. */
const RETRY_MS = 1_000

interface Waiting extends Question {
  readonly resolve: (evaluated: Evaluated) => void
}

export interface IsolatedOptions {
  readonly events: EvaluationEvents
  /** Milliseconds that one evaluation may take before its thread is ended. */
  readonly budgetMs: number
}

/** @throws Error when no first thread can be started */
export async function createIsolatedEvaluation(
  compiled: CompiledPolicy,
  options: IsolatedOptions,
): Promise<IsolatedEvaluation> {
  const evaluation = new IsolatedEvaluation(compiled, options)
  await evaluation.opened
  return evaluation
}

/**
 * Evaluates in a thread of its own, with another standing by. An evaluation that takes longer than its budget is ended
 * together with its thread and refused; those that wait behind it go to the other one, where they start anew.
 */
class IsolatedEvaluation implements Evaluation {
  /** Settled once there is a first thread, or none can be started. */
  readonly opened: Promise<void>
  readonly #compiled: CompiledPolicy
  readonly #options: IsolatedOptions
  readonly #first = Promise.withResolvers<void>()
  #active: PolicyThread | undefined
  #standby: PolicyThread | undefined
  #starting: PolicyThread | undefined
  #notBeforeMs = 0
  /** In the order in which the thread was asked; it is evaluating the first. */
  readonly #waiting: Waiting[] = []
  #firstSinceMs = 0
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(compiled: CompiledPolicy, options: IsolatedOptions) {
    this.#compiled = compiled
    this.#options = options
    this.opened = this.#first.promise
    this.#start()
  }

  run(entrypointId: number, serialized: Serialized, maxBytes: number): Promise<Evaluated> {
    if (serialized.kind !== 'text') return Promise.resolve(serialized)
    const active = this.#active
    if (this.#standby === undefined) this.#start()
    if (active === undefined || this.#isClosed || this.#waiting.length >= MOST_WAITING) {
      return Promise.resolve({ kind: 'unavailable' })
    }
    const question = { entrypointId, text: serialized.text, maxBytes }
    return new Promise((resolve) => {
      this.#waiting.push({ ...question, resolve })
      if (this.#waiting.length === 1) this.#firstStarts()
      active.ask(question)
    })
  }

  memoryPages(): number {
    return (this.#active?.memoryPages ?? 0) + (this.#standby?.memoryPages ?? 0)
  }

  /** Calls that wait are still answered. */
  [Symbol.dispose](): void {
    this.#isClosed = true
    this.#starting?.end()
    this.#starting = undefined
    this.#standby?.end()
    this.#standby = undefined
    if (this.#waiting.length > 0) return
    clearTimeout(this.#timer)
    this.#active?.end()
  }

  #start(): void {
    if (this.#isClosed || this.#starting !== undefined || performance.now() < this.#notBeforeMs) return
    this.#starting = new PolicyThread(this.#compiled, {
      onTold: (thread, told) => this.#hear(thread, told),
      onEnd: (thread, cause) => this.#ended(thread, cause),
    })
  }

  #hear(thread: PolicyThread, told: Told): void {
    const { events } = this.#options
    switch (told.kind) {
      case 'ready':
        return this.#ready(thread)
      case 'threw':
        return events.onThrow(told.cause)
      case 'recycled':
        return events.onRecycle(told.memoryPages)
      case 'answer':
        this.#waiting.shift()?.resolve(told.evaluated)
        if (this.#waiting.length > 0) this.#firstStarts()
        else if (this.#isClosed) thread.end()
    }
  }

  #ready(thread: PolicyThread): void {
    this.#starting = undefined
    if (this.#active === undefined) {
      this.#active = thread
      this.#first.resolve()
      this.#start()
    } else {
      this.#standby = thread
    }
  }

  #firstStarts(): void {
    this.#firstSinceMs = performance.now()
    this.#timer ??= setTimeout(() => this.#checkBudget(), this.#options.budgetMs)
  }

  #checkBudget(): void {
    this.#timer = undefined
    const active = this.#active
    active?.listen()
    if (this.#waiting.length === 0 || active === undefined) return
    const { events, budgetMs } = this.#options
    const elapsedMs = performance.now() - this.#firstSinceMs
    if (elapsedMs < budgetMs) {
      this.#timer = setTimeout(() => this.#checkBudget(), budgetMs - elapsedMs)
      return
    }
    active.end()
    events.onOverBudget(elapsedMs)
    this.#ended(active, new Error(`an evaluation took more than ${budgetMs} ms`))
  }

  #ended(thread: PolicyThread, cause: unknown): void {
    const { events } = this.#options
    events.onThreadEnd(cause)
    if (thread === this.#starting) {
      this.#starting = undefined
      this.#notBeforeMs = performance.now() + RETRY_MS
      this.#first.reject(cause)
      return
    }
    if (thread === this.#active) this.#succeed(cause)
    else this.#standby = undefined
    this.#start()
  }

  #succeed(cause: unknown): void {
    this.#active = this.#standby
    this.#standby = undefined
    this.#waiting.shift()?.resolve({ kind: 'threw', cause })
    if (this.#active === undefined) {
      for (const { resolve } of this.#waiting.splice(0)) resolve({ kind: 'unavailable' })
    }
    if (this.#waiting.length > 0) this.#firstStarts()
    for (const { resolve: _, ...question } of this.#waiting) this.#active?.ask(question)
  }
}
