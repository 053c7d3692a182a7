import type { Config } from './config/config.ts'
import type { Clock } from './lib/clock.ts'

/** What a process of the gateway is started with. */
export interface ProcessOptions {
  readonly config: Config
  readonly environment: Readonly<Record<string, string | undefined>>
  /** 0 for a process on its own. */
  readonly worker: number
  readonly clock: Clock
}
