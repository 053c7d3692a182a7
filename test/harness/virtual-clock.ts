import type { Clock } from '../../gateway/lib/clock.ts'

/** A clock that stands still until it is told to go on. */
export interface VirtualClock extends Clock {
  advance(ms: number): void
}

export function virtualClock(startMs = Date.UTC(2026, 10, 21, 9)): VirtualClock {
  let nowMs = startMs
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs - startMs,
    advance: (ms) => {
      nowMs += ms
    },
  }
}
