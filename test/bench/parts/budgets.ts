/** A part of a call on its own. */
export interface Budget {
  /** What DESIGN §15 grants it, in microseconds. */
  readonly budgetUs: number
  /** Calls in one sample: what takes less than a timer can tell, and what is shared by those in flight, is counted together. */
  readonly calls: number
}

/** By the names of the tests in parts.bench.ts. */
export const BUDGETS = {
  'identity: a token that is in the cache': { budgetUs: 1.4, calls: 20 },
  'identity: DPoP proof by a known key': { budgetUs: 73, calls: 1 },
  'route: one of 1,222 operations': { budgetUs: 1.4, calls: 20 },
  'policy: an allowed read': { budgetUs: 13, calls: 1 },
  'policy: an allowed comment': { budgetUs: 13, calls: 1 },
  'limits: six, in memory': { budgetUs: 13, calls: 10 },
  'limits: six, one trip to Redis, 100 in flight': { budgetUs: 13, calls: 100 },
  'audit: intent and outcome of a read': { budgetUs: 15, calls: 64 },
  'audit: intent and outcome of a write, 512 in flight': { budgetUs: 15, calls: 512 },
} as const satisfies Readonly<Record<string, Budget>>

export type Part = keyof typeof BUDGETS
