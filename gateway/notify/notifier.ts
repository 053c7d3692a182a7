import { isDeepStrictEqual } from 'node:util'
import type { NotifyConfig, NotifyTargetConfig } from '../config/notify-config.ts'
import type { Clock } from '../lib/clock.ts'
import { DeliveryQueue, type QueueEvent } from './delivery-queue.ts'
import { groupsOf, type Notify, type NotifyEvent } from './event.ts'
import type { NotifyTarget } from './target.ts'

/** One target for people who watch. */
export interface NotifyState {
  /** Name of the configured target: a closed set. */
  readonly name: string
  readonly events: number
  readonly lagSeconds: number
}

export interface NotifierOptions {
  readonly openTarget: (name: string, target: NotifyTargetConfig, config: NotifyConfig) => NotifyTarget
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly onEvent: (target: string, event: QueueEvent) => void
  /** Somebody was to be told, and no target takes it. */
  readonly onUntold: (event: NotifyEvent) => void
}

interface Opened {
  readonly config: NotifyTargetConfig
  readonly queue: DeliveryQueue
}

/** Tells the configured targets what happens; each has a queue of its own, so that one that is gone holds up no other. */
export class Notifier implements AsyncDisposable {
  readonly #options: NotifierOptions
  #config: NotifyConfig | undefined
  #targets: ReadonlyMap<string, Opened> = new Map()
  /** Those that a reload has ended and that still send what they had. */
  readonly #ending = new Set<Promise<void>>()

  constructor(options: NotifierOptions) {
    this.#options = options
  }

  readonly notify: Notify = (event) => {
    let isTaken = false
    for (const { config, queue } of this.#targets.values()) {
      if (!takes(config, event)) continue
      queue.add(event)
      isTaken = true
    }
    if (!isTaken && this.#targets.size > 0) this.#options.onUntold(event)
  }

  /**
   * Opens what a configuration names; the result puts it in force. What has not changed keeps its queue, and
   * what has changed takes over what was waiting.
   *
   * @throws ConfigError when a target cannot be reached as it says; what is in force stays so
   */
  prepare(config: NotifyConfig): () => void {
    const next = new Map<string, Opened>()
    for (const [name, target] of Object.entries(config.targets)) {
      const known = this.#targets.get(name)
      const isSame = known !== undefined && this.#isSame(known, target, config)
      next.set(name, isSame ? known : this.#open(name, target, config))
    }
    return () => {
      const before = this.#targets
      this.#targets = next
      this.#config = config
      for (const [name, { queue }] of before) {
        const successor = next.get(name)?.queue
        if (successor !== queue) this.#endLater(queue, successor)
      }
    }
  }

  states(): readonly NotifyState[] {
    return [...this.#targets].map(([name, { queue }]) => ({ name, ...queue.state() }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const targets = [...this.#targets.values()]
    this.#targets = new Map()
    // First those that may leave something to the others.
    await Promise.all(this.#ending)
    await Promise.all(targets.map(({ queue }) => queue[Symbol.asyncDispose]()))
  }

  #isSame(known: Opened, target: NotifyTargetConfig, { queue, slack }: NotifyConfig): boolean {
    return (
      isDeepStrictEqual(this.#config?.queue, queue) &&
      isDeepStrictEqual(known.config, target) &&
      (target.slack === undefined || isDeepStrictEqual(this.#config?.slack, slack))
    )
  }

  #open(name: string, target: NotifyTargetConfig, config: NotifyConfig): Opened {
    const { openTarget, clock, onEvent } = this.#options
    const queue = new DeliveryQueue({
      target: openTarget(name, target, config),
      ...config.queue,
      clock,
      onEvent: (event) => onEvent(name, event),
    })
    return { config: target, queue }
  }

  #endLater(queue: DeliveryQueue, successor: DeliveryQueue | undefined): void {
    const ending = queue.close(successor)
    this.#ending.add(ending)
    void ending.finally(() => this.#ending.delete(ending))
  }
}

/** What is the business of certain groups goes where one of them is told; everything else only by its type. */
function takes({ events, groups }: NotifyTargetConfig, event: NotifyEvent): boolean {
  const family = event.type.slice(0, event.type.indexOf('.'))
  if (events.length > 0 && !events.some((each) => each === event.type || each === family)) return false
  const concerned = groupsOf(event)
  return groups.length === 0 || concerned.length === 0 || concerned.some((group) => groups.includes(group))
}
