import type { Redis } from 'ioredis'

/** Of a store that speaks through the client of the admission store. */
export interface SharedClientOptions {
  readonly client: Redis
  readonly keyPrefix: string
  /** Whether calls wait for Redis at all; while it is away they are refused at once. */
  readonly isUp: () => boolean
  /** A call has ended but Redis did not learn it. */
  readonly onSettlementLost?: (cause: unknown) => void
}
