import { controlProblem } from '../control/control-problem.ts'
import type {
  ChannelAnswer,
  ChannelRequest,
  ControlAnswer,
  ControlPlane,
  ControlRequest,
} from '../control/control.ts'
import { isFromWorker, type ToWorker } from './messages.ts'

/** Longer than a store may take to be waited for; a person who asked is told that nobody knows what became of it. */
const ANSWER_TIMEOUT_MS = 15_000

/** Of a worker, what is needed to ask it something. */
export interface AskedWorker {
  isConnected(): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
  on(event: 'exit', listener: () => void): unknown
  send(message: ToWorker, callback: (error: Error | null) => void): unknown
}

type Asked = Extract<ToWorker, { readonly kind: 'control' | 'channel' }>
type Unnumbered<T> = T extends unknown ? Omit<T, 'request'> : never

/** How asking one worker ended: `unsent` is the only end after which another may be asked. */
type Outcome<T> =
  { readonly end: 'answered'; readonly answer: T } | { readonly end: 'unsent' | 'lost' | 'late' }

interface Waiting {
  readonly worker: AskedWorker
  settle(outcome: Outcome<never> | Outcome<ControlAnswer & ChannelAnswer>): void
}

/**
 * Passes what is asked at the listener of the primary to one worker, turn by turn, and its answer back. Once a worker
 * has the request no other is asked, whatever becomes of it: it may have done what was asked before it ended.
 */
export class ControlRelay implements ControlPlane {
  readonly #timeoutMs: number
  /** Those that came up; Node drops messages to a worker that does not listen yet. */
  readonly #ready = new Set<AskedWorker>()
  readonly #waiting = new Map<number, Waiting>()
  #requests = 0

  constructor(timeoutMs = ANSWER_TIMEOUT_MS) {
    this.#timeoutMs = timeoutMs
  }

  add(worker: AskedWorker): void {
    worker.on('message', (message: unknown) => {
      if (!isFromWorker(message)) return
      if (message.kind === 'started') this.#ready.add(worker)
      if (message.kind !== 'answer') return
      const waiting = this.#waiting.get(message.request)
      if (waiting?.worker === worker)
        waiting.settle({ end: 'answered', answer: message.answer as ControlAnswer & ChannelAnswer })
    })
    worker.on('exit', () => {
      this.#ready.delete(worker)
      for (const waiting of this.#waiting.values())
        if (waiting.worker === worker) waiting.settle({ end: 'lost' })
    })
  }

  async control(asked: ControlRequest): Promise<ControlAnswer> {
    const outcome = await this.#askOne<ControlAnswer>({ kind: 'control', asked })
    return outcome.end === 'answered' ? outcome.answer : controlProblem(...reasonOf(outcome.end))
  }

  async channel(asked: ChannelRequest): Promise<ChannelAnswer> {
    const outcome = await this.#askOne<ChannelAnswer>({ kind: 'channel', asked })
    if (outcome.end === 'answered') return outcome.answer
    const { status, body } = controlProblem(...reasonOf(outcome.end))
    return { status, contentType: 'application/problem+json', body: JSON.stringify(body) }
  }

  async #askOne<T>(asked: Unnumbered<Asked>): Promise<Outcome<T>> {
    const ready = [...this.#ready]
    const first = ready.length === 0 ? 0 : this.#requests % ready.length
    for (const worker of [...ready.slice(first), ...ready.slice(0, first)]) {
      const outcome = await this.#ask<T>(worker, asked)
      if (outcome.end !== 'unsent') return outcome
    }
    return { end: 'unsent' }
  }

  async #ask<T>(worker: AskedWorker, asked: Unnumbered<Asked>): Promise<Outcome<T>> {
    const request = ++this.#requests
    if (!worker.isConnected()) return { end: 'unsent' }
    const { promise, resolve } = Promise.withResolvers<Outcome<T>>()
    const timer = setTimeout(() => resolve({ end: 'late' }), this.#timeoutMs)
    this.#waiting.set(request, { worker, settle: resolve as Waiting['settle'] })
    worker.send({ ...asked, request } satisfies ToWorker, (error) => {
      if (error !== null) resolve({ end: 'unsent' })
    })
    const outcome = await promise
    clearTimeout(timer)
    this.#waiting.delete(request)
    return outcome
  }
}

function reasonOf(end: 'unsent' | 'lost' | 'late'): [number, string, { detail: string }] {
  const unknown = 'Look whether it was done before you ask again.'
  switch (end) {
    case 'unsent':
      return [503, 'No worker can be asked', { detail: 'Nothing was done.' }]
    case 'lost':
      return [502, 'The worker ended before it answered', { detail: unknown }]
    case 'late':
      return [504, 'The worker did not answer in time', { detail: unknown }]
  }
}
