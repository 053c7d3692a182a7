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

export type BreakerState =
  | {
      readonly kind: 'closed'
      readonly successes: SlidingCount
      readonly failures: SlidingCount
      readonly failedFor: LastAgents
      readonly servedLast: LastAgents
    }
  | { readonly kind: 'open'; readonly untilMs: number }
  | {
      readonly kind: 'half-open'
      /** In flight, those that lapsed apart. */
      probes: number
      lapsed: number
      lastProbeMs: number
      successes: number
    }

type Closed = Extract<BreakerState, { kind: 'closed' }>

export type BreakerResult = 'success' | 'failure' | 'none'

/** What a call that was let in gives back when it ends; stale ones are ignored. */
type BreakerEntry =
  | { readonly admitted: true; readonly generation: number }
  | { readonly admitted: false; readonly retryAfterMs: number }

export interface Breaker {
  /** Asks for one call. An admitted call must `leave` exactly once. */
  enter(nowMs: number): BreakerEntry
  /** `none` when the upstream was not asked or gave no sign of its health. */
  leave(generation: number, result: BreakerResult, nowMs: number, agent?: string): void
  readonly state: BreakerState['kind']
}

/** A share and not a bare count: five errors among ten thousand calls are not an outage. */
const FAILING_SHARE = 0.5
const HALF_OPEN_RETRY_MS = 1_000

/** The two agents heard of last, and when: enough to tell whether there was another one than a given agent. */
interface LastAgents {
  note(agent: string, nowMs: number): void
  /** Some agent heard of since, other than `agent` where one is given. */
  since(fromMs: number, agent?: string): string | undefined
}

function lastAgents(): LastAgents {
  let last = { agent: '', atMs: -Infinity }
  let before = last
  return {
    note(agent, nowMs) {
      if (agent !== last.agent) before = last
      last = { agent, atMs: nowMs }
    },
    since: (fromMs, agent) => [last, before].find((one) => one.atMs > fromMs && one.agent !== agent)?.agent,
  }
}

/**
 * Times are milliseconds of a monotonic clock. `onChange` is told after every change of state.
 * Failures of one agent alone do not open it while the upstream serves another: who finds a request that an upstream
 * fails at could else keep everybody from it. That agent has a breaker of its own.
 * A call that was let in before the last change says nothing about the present state, so its result is dropped.
 */
export function createBreaker(
  settings: BreakerSettings,
  onChange: (state: BreakerState['kind']) => void = () => {},
): Breaker {
  const widthUs = bucketUs(settings.windowMs)
  const closed = (): Closed => ({
    kind: 'closed',
    successes: slidingCount(),
    failures: slidingCount(),
    failedFor: lastAgents(),
    servedLast: lastAgents(),
  })
  let state: BreakerState = closed()
  let generation = 0

  const become = (next: BreakerState): void => {
    state = next
    generation++
    onChange(next.kind)
  }

  const enter = (nowMs: number): BreakerEntry => {
    if (state.kind === 'open') {
      if (nowMs < state.untilMs) return { admitted: false, retryAfterMs: Math.ceil(state.untilMs - nowMs) }
      become({ kind: 'half-open', probes: 0, lapsed: 0, lastProbeMs: nowMs, successes: 0 })
    }
    if (state.kind === 'half-open') {
      // A caller that sends its body a byte at a time would else keep the place, and everybody out, for as long.
      if (state.probes >= settings.halfOpenCalls && nowMs - state.lastProbeMs >= settings.openMs) {
        state.lapsed += state.probes
        state.probes = 0
      }
      if (state.probes >= settings.halfOpenCalls) {
        return { admitted: false, retryAfterMs: Math.min(settings.openMs, HALF_OPEN_RETRY_MS) }
      }
      state.probes++
      state.lastProbeMs = nowMs
    }
    return { admitted: true, generation }
  }

  const leave = (entered: number, result: BreakerResult, nowMs: number, agent = ''): void => {
    if (entered !== generation) return
    switch (state.kind) {
      case 'closed': {
        if (result === 'none') return
        addEvent(result === 'success' ? state.successes : state.failures, widthUs, nowMs * 1000)
        const heard = result === 'success' ? state.servedLast : state.failedFor
        heard.note(agent, nowMs)
        if (result === 'failure' && isFailing(state, nowMs) && !failsOneAlone(state, agent, nowMs)) {
          become({ kind: 'open', untilMs: nowMs + settings.openMs })
        }
        return
      }
      case 'half-open':
        if (state.lapsed > 0) state.lapsed--
        else state.probes--
        if (result === 'failure') become({ kind: 'open', untilMs: nowMs + settings.openMs })
        else if (result === 'success' && ++state.successes >= settings.halfOpenCalls) become(closed())
        return
      case 'open':
        return
    }
  }

  const failsOneAlone = ({ failedFor, servedLast }: Closed, agent: string, nowMs: number): boolean => {
    const fromMs = nowMs - settings.windowMs
    return failedFor.since(fromMs, agent) === undefined && servedLast.since(fromMs, agent) !== undefined
  }

  const isFailing = ({ successes, failures }: Closed, nowMs: number): boolean => {
    const failed = countEvents(failures, widthUs, nowMs * 1000)
    if (failed < settings.failures) return false
    return failed >= FAILING_SHARE * (failed + countEvents(successes, widthUs, nowMs * 1000))
  }

  return {
    enter,
    leave,
    get state() {
      return state.kind
    },
  }
}
