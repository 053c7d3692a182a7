import type { CallId } from '../exchange.ts'
import type { DecidedBy, Verdict } from '../refusal.ts'
import type { Decision } from './decision.ts'
import type { PolicyInput } from './input.ts'

/** A call that the live policy has decided. Held by reference: nothing of it may be changed. */
export interface DecidedCall {
  readonly callId: CallId
  readonly input: PolicyInput
  readonly verdict: Verdict<Decision>
  readonly by: DecidedBy
}

export interface ShadowQueueOptions<By> {
  /** Calls that may wait or be under evaluation. */
  readonly limit: number
  /** Share of the calls that are taken at all; 1 for every one. */
  readonly sample: number
  /** From 0 to below 1; which calls those are. */
  readonly random?: () => number
  /** Who evaluates now; `undefined` for nobody, and calls are let go. */
  readonly current: () => By | undefined
  readonly decide: (by: By, input: PolicyInput) => Promise<Verdict<Decision>>
  readonly onDecided: (call: DecidedCall, verdict: Verdict<Decision>, by: By) => void
  /** There was no room for a call, or it was lost on the way. */
  readonly onDropped: () => void
}

/** How long calls in flight may be held up at a time. */
const TURN_MS = 1

/**
 * Decides calls a second time, for information, when whoever they belong to has had their turn. Who falls behind loses
 * calls: nothing waits for this queue, and it never grows.
 */
export class ShadowQueue<By> implements Disposable {
  readonly #options: ShadowQueueOptions<By>
  #waiting: DecidedCall[] = []
  #evaluating = 0
  #turn: NodeJS.Immediate | undefined
  #closed = false

  constructor(options: ShadowQueueOptions<By>) {
    this.#options = options
  }

  get length(): number {
    return this.#waiting.length + this.#evaluating
  }

  push(call: DecidedCall): void {
    const { limit, sample, random = Math.random, current, onDropped } = this.#options
    if (this.#closed || current() === undefined) return
    if (sample < 1 && random() >= sample) return
    if (this.length >= limit) return onDropped()
    this.#waiting.push(call)
    this.#turn ??= setImmediate(() => this.#takeTurn())
  }

  /** What waits is dropped. */
  [Symbol.dispose](): void {
    this.#closed = true
    clearImmediate(this.#turn)
    for (const _call of this.#waiting) this.#options.onDropped()
    this.#waiting = []
  }

  #takeTurn(): void {
    this.#turn = undefined
    const startedMs = performance.now()
    let taken = 0
    for (const call of this.#waiting) {
      taken += 1
      void this.#evaluate(call)
      if (performance.now() - startedMs >= TURN_MS) break
    }
    this.#waiting = this.#waiting.slice(taken)
    if (this.#waiting.length > 0) this.#turn = setImmediate(() => this.#takeTurn())
  }

  async #evaluate(call: DecidedCall): Promise<void> {
    const { current, decide, onDecided, onDropped } = this.#options
    this.#evaluating += 1
    try {
      const by = current()
      if (by === undefined) return onDropped()
      const verdict = await decide(by, call.input)
      onDecided(call, verdict, by)
    } catch {
      // An evaluator refuses and never throws; were it to, the call is decided all the same.
      onDropped()
    } finally {
      this.#evaluating -= 1
    }
  }
}
