import type { Clock } from '../lib/clock.ts'
import { Breaker, type BreakerSettings, type BreakerState } from './breaker.ts'

export interface UpstreamBreakers {
  /** The breaker of one upstream, made at its first call. */
  of(upstream: string): Breaker
  states(): ReadonlyMap<string, BreakerState['kind']>
  readonly clock: Clock
}

/** Connectors come from configuration; the bound only says that this map cannot grow by what callers send. */
const MOST_UPSTREAMS = 1_024

/** Breakers of this process: what one gateway sees of an upstream, another may see differently. */
export function createUpstreamBreakers(options: {
  readonly settings: BreakerSettings
  readonly clock: Clock
  readonly onChange?: (upstream: string, state: BreakerState['kind']) => void
}): UpstreamBreakers {
  const breakers = new Map<string, Breaker>()
  const of = (upstream: string): Breaker => {
    const known = breakers.get(upstream)
    if (known !== undefined) return known
    if (breakers.size >= MOST_UPSTREAMS) {
      const [oldest] = breakers.keys()
      if (oldest !== undefined) breakers.delete(oldest)
    }
    const made = new Breaker(options.settings, (state) => options.onChange?.(upstream, state))
    breakers.set(upstream, made)
    return made
  }
  return {
    of,
    states: () => new Map(Array.from(breakers, ([upstream, { state }]) => [upstream, state])),
    clock: options.clock,
  }
}
