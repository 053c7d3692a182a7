import type { ServiceConfig } from './policy-config.ts'

/** Where decisions are reported to, as OPA reports its own, and what happens when that cannot keep up. */
export interface DecisionLogConfig {
  readonly service: ServiceConfig
  /** Path below the service's URL. */
  readonly resource: string
  /** `periodic` uploads between the delays; `immediate` also whenever a chunk is full. */
  readonly trigger: 'periodic' | 'immediate'
  /** From one upload to the next, at random; the longest wait after a failure is `maxDelayMs`. */
  readonly minDelayMs: number
  readonly maxDelayMs: number
  /** Of one request's body, compressed. */
  readonly uploadLimitBytes: number
  readonly buffer: DecisionBufferConfig
  /** Decisions beyond are not logged. */
  readonly maxDecisionsPerSecond: number | undefined
  /** Headers of the call whose values are logged; never one that carries a credential. */
  readonly requestHeaders: readonly string[]
}

export interface DecisionBufferConfig {
  readonly limitBytes: number
  readonly limitEvents: number
  /** `drop` gives up the oldest events; `deny` refuses calls; `block` lets them wait `blockTimeoutMs` before it does. */
  readonly onFull: 'drop' | 'block' | 'deny'
  readonly blockTimeoutMs: number
  /** Events wait here, and outlive the process; in memory where there is none. */
  readonly directory: string | undefined
}

/** Where the state of bundles and of the decision log is reported to, as OPA reports its own. */
export interface StatusReportsConfig {
  readonly service: ServiceConfig
  readonly resource: string
  /** Whether the metrics go with every report. */
  readonly metrics: boolean
}
