import type { RedisAdmissionStore } from './redis-admission-store.ts'

export type StoreState = 'up' | 'down'

/** So many answers in a row that fail or come late, and calls stop waiting for the store. */
const FAILURES_TO_OPEN = 3
const PROBE_EVERY_MS = 100
/** So many probes in a row without an answer, and the connection itself is given up. */
const PROBES_TO_RECONNECT = 5

/**
 * Whether calls wait for the shared store. While it is down a probe in the background finds out when it is back;
 * it counts as down until the first probe has been answered.
 */
export class StoreHealth {
  /** Settles once the store has answered for the first time; pending for as long as it does not. */
  readonly opened: Promise<void>
  readonly #open: () => void
  readonly #store: Pick<RedisAdmissionStore, 'probe' | 'reconnect'>
  readonly #onChange: (state: StoreState, cause: unknown) => void
  #failures = 0
  #closed = false
  #probing: NodeJS.Timeout | undefined

  constructor(
    store: Pick<RedisAdmissionStore, 'probe' | 'reconnect'>,
    onChange: (state: StoreState, cause: unknown) => void,
  ) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.opened = promise
    this.#open = resolve
    this.#store = store
    this.#onChange = onChange
    this.#startProbing()
  }

  get state(): StoreState {
    return this.#probing === undefined ? 'up' : 'down'
  }

  /** The store has answered a call. */
  succeeded(): void {
    this.#failures = 0
  }

  /** The store has failed a call, or answered too late for it. */
  failed(cause: unknown): void {
    this.#failures++
    if (this.#failures < FAILURES_TO_OPEN || this.#probing !== undefined || this.#closed) return
    this.#startProbing()
    this.#onChange('down', cause)
  }

  /** No probe begins from now on, and no change is told. */
  close(): void {
    this.#closed = true
    clearInterval(this.#probing)
  }

  #recovered(): void {
    if (this.#probing === undefined || this.#closed) return
    clearInterval(this.#probing)
    this.#probing = undefined
    this.#failures = 0
    this.#open()
    this.#onChange('up', undefined)
  }

  /** One probe at a time; each has the client's own time limit. */
  #startProbing(): void {
    let waiting = false
    let unanswered = 0
    const probe = (): void => {
      if (waiting) return
      waiting = true
      void this.#store
        .probe()
        .then(
          () => this.#recovered(),
          () => {
            unanswered++
            if (unanswered % PROBES_TO_RECONNECT === 0) this.#store.reconnect()
          },
        )
        .finally(() => {
          waiting = false
        })
    }
    probe()
    this.#probing = setInterval(probe, PROBE_EVERY_MS).unref()
  }
}
