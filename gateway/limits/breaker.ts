import { LastAgents } from './last-agents.ts'
import { addEvent, bucketUs, countEvents, type SlidingCount, slidingCount } from './sliding-count.ts'

/** As in `breakers.upstream` of toolgate.yaml. */
export interface BreakerSettings {
  /** So many failures in the window open it, if they are at least half of the calls in the window. */
  readonly failures: number
  readonly windowMs: number
  /** How long it stays open before it lets probes through. */
  readonly openMs: number
  /** Probes at a time while half-open, and successes in a row that close it. */
  readonly halfOpenCalls: number
}

export type BreakerState = Closed | Open | HalfOpen

interface Closed {
  readonly kind: 'closed'
  readonly successes: SlidingCount
  readonly failures: SlidingCount
  readonly failedFor: LastAgents
  readonly servedLast: LastAgents
}

interface Open {
  readonly kind: 'open'
  readonly untilMs: number
}

interface HalfOpen {
  readonly kind: 'half-open'
  /** In flight, those that lapsed apart. */
  probes: number
  lapsed: number
  lastProbeMs: number
  successes: number
}

export type BreakerResult = 'success' | 'failure' | 'none'

/** What a call that was let in gives back when it ends; stale ones are ignored. */
type BreakerEntry =
  | { readonly admitted: true; readonly generation: number }
  | { readonly admitted: false; readonly retryAfterMs: number }

/** A share and not a bare count: five errors among ten thousand calls are not an outage. */
const FAILING_SHARE = 0.5
const HALF_OPEN_RETRY_MS = 1_000

/**
 * The breaker of one upstream. Times are milliseconds of a monotonic clock.
 * Failures of one agent alone do not open it while the upstream serves another: who finds a request that an upstream
 * fails at could else keep everybody from it. That agent has a breaker of its own.
 * A call that was let in before the last change says nothing about the present state, so its result is dropped.
 */
export class Breaker {
  readonly #settings: BreakerSettings
  readonly #onChange: (state: BreakerState['kind']) => void
  readonly #widthUs: number
  #state: BreakerState = closed()
  #generation = 0

  /** `onChange` is told after every change of state. */
  constructor(settings: BreakerSettings, onChange: (state: BreakerState['kind']) => void = () => {}) {
    this.#settings = settings
    this.#onChange = onChange
    this.#widthUs = bucketUs(settings.windowMs)
  }

  get state(): BreakerState['kind'] {
    return this.#state.kind
  }

  /** Asks for one call. An admitted call must `leave` exactly once. */
  enter(nowMs: number): BreakerEntry {
    if (this.#state.kind === 'open') {
      const { untilMs } = this.#state
      if (nowMs < untilMs) return { admitted: false, retryAfterMs: Math.ceil(untilMs - nowMs) }
      this.#become({ kind: 'half-open', probes: 0, lapsed: 0, lastProbeMs: nowMs, successes: 0 })
    }
    if (this.#state.kind === 'half-open' && !this.#takeProbe(this.#state, nowMs)) {
      return { admitted: false, retryAfterMs: Math.min(this.#settings.openMs, HALF_OPEN_RETRY_MS) }
    }
    return { admitted: true, generation: this.#generation }
  }

  /** `none` when the upstream was not asked or gave no sign of its health. */
  leave(generation: number, result: BreakerResult, nowMs: number, agent = ''): void {
    if (generation !== this.#generation) return
    switch (this.#state.kind) {
      case 'closed':
        return this.#leaveClosed(this.#state, result, nowMs, agent)
      case 'half-open':
        return this.#leaveHalfOpen(this.#state, result, nowMs)
      case 'open':
        return
    }
  }

  #takeProbe(state: HalfOpen, nowMs: number): boolean {
    const { halfOpenCalls, openMs } = this.#settings
    // A caller that sends its body a byte at a time would else keep the place, and everybody out, for as long.
    if (state.probes >= halfOpenCalls && nowMs - state.lastProbeMs >= openMs) {
      state.lapsed += state.probes
      state.probes = 0
    }
    if (state.probes >= halfOpenCalls) return false
    state.probes++
    state.lastProbeMs = nowMs
    return true
  }

  #leaveClosed(state: Closed, result: BreakerResult, nowMs: number, agent: string): void {
    if (result === 'none') return
    if (result === 'success') {
      addEvent(state.successes, this.#widthUs, nowMs * 1000)
      state.servedLast.note(agent, nowMs)
      return
    }
    addEvent(state.failures, this.#widthUs, nowMs * 1000)
    state.failedFor.note(agent, nowMs)
    if (this.#isFailing(state, nowMs) && !this.#failsOneAlone(state, agent, nowMs)) this.#open(nowMs)
  }

  #leaveHalfOpen(state: HalfOpen, result: BreakerResult, nowMs: number): void {
    if (state.lapsed > 0) state.lapsed--
    else state.probes--
    if (result === 'failure') this.#open(nowMs)
    else if (result === 'success' && ++state.successes >= this.#settings.halfOpenCalls) this.#become(closed())
  }

  #isFailing({ successes, failures }: Closed, nowMs: number): boolean {
    const failed = countEvents(failures, this.#widthUs, nowMs * 1000)
    if (failed < this.#settings.failures) return false
    return failed >= FAILING_SHARE * (failed + countEvents(successes, this.#widthUs, nowMs * 1000))
  }

  #failsOneAlone({ failedFor, servedLast }: Closed, agent: string, nowMs: number): boolean {
    const fromMs = nowMs - this.#settings.windowMs
    return !failedFor.hasOther(agent, fromMs) && servedLast.hasOther(agent, fromMs)
  }

  #open(nowMs: number): void {
    this.#become({ kind: 'open', untilMs: nowMs + this.#settings.openMs })
  }

  #become(next: BreakerState): void {
    this.#state = next
    this.#generation++
    this.#onChange(next.kind)
  }
}

function closed(): Closed {
  return {
    kind: 'closed',
    successes: slidingCount(),
    failures: slidingCount(),
    failedFor: new LastAgents(),
    servedLast: new LastAgents(),
  }
}
