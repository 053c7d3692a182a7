import { setImmediate as turn } from 'node:timers/promises'
import type { ApprovalsConfig } from '../config/approvals-config.ts'
import type { ApprovalStore, PendingCount } from '../store/approval-store.ts'
import type { ApprovalKind } from './approval.ts'
import type { ApprovalService } from './approval-service.ts'

export interface ApprovalKeeperOptions {
  readonly store: Pick<ApprovalStore, 'due' | 'pending' | 'prune'>
  readonly service: Pick<ApprovalService, 'settle'>
  readonly retention: ApprovalsConfig['retention']
  /** Told when the store stops answering, and when it answers again. */
  readonly onState: (state: 'up' | 'down', cause: unknown) => void
}

export type Pending = Readonly<Record<ApprovalKind, PendingCount>>

const ROUND_MS = 1_000
const SETTLED_AT_ONCE = 500
/** In rounds. */
const PRUNE_EVERY = 600
export const DAY_MS = 86_400_000

/**
 * Puts down, each second, what time has made of approvals, so that people are told of it. Every gateway does: the store lets
 * one of them make each change, and no decision depends on when it is made.
 */
export class ApprovalKeeper implements AsyncDisposable {
  readonly #options: ApprovalKeeperOptions
  readonly #timer: NodeJS.Timeout
  #round = 0
  #running: Promise<void> | undefined
  #pending: Pending | undefined
  #isUp: boolean | undefined
  #stopped = false

  constructor(options: ApprovalKeeperOptions) {
    this.#options = options
    // Gateways that were started together do not ask in step.
    this.#timer = setInterval(() => void this.round(), ROUND_MS * (0.75 + Math.random() / 2)).unref()
  }

  /** As of the last round; `undefined` before the first, and while the store is away. */
  get pending(): Pending | undefined {
    return this.#pending
  }

  get isUp(): boolean {
    return this.#isUp ?? false
  }

  /** Resolves when it is over; never rejects. One at a time. */
  round(): Promise<void> {
    this.#running ??= this.#attempt().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    await this.#running
  }

  async #attempt(): Promise<void> {
    try {
      await this.#work()
      this.#tell('up', undefined)
    } catch (cause) {
      this.#pending = undefined
      this.#tell('down', cause)
    }
  }

  async #work(): Promise<void> {
    const { store, service, retention } = this.#options
    for (const id of await store.due(SETTLED_AT_ONCE)) {
      await service.settle(id)
      // The embedded store answers at once, after an fsync: calls would wait for all of them.
      await turn()
      if (this.#stopped) return
    }
    this.#pending = await store.pending()
    if (this.#round++ % PRUNE_EVERY === 0)
      await store.prune({ keptMs: retention.days * DAY_MS, keptCount: retention.count })
  }

  #tell(state: 'up' | 'down', cause: unknown): void {
    const isUp = state === 'up'
    // That it is up at the start is no news.
    if (this.#isUp !== isUp && (this.#isUp !== undefined || !isUp)) this.#options.onState(state, cause)
    this.#isUp = isUp
  }
}
