import type { Redis } from 'ioredis'
import { createRedisApprovalStore } from '../../gateway/store/redis-approval-store.ts'
import type { ApprovalStore } from '../../gateway/store/approval-store.ts'

export interface RedisApprovals extends AsyncDisposable {
  readonly store: ApprovalStore
  /** Ids of changes that too few replicas have. */
  readonly unwitnessed: readonly string[]
}

interface RedisApprovalsOptions {
  readonly replicas?: number
  readonly keptMs?: number
  readonly lookAgainMs?: number
}

/** One gateway's view of approvals in Redis; `connect` makes a new connection each time. */
export function openRedisApprovals(
  connect: () => Redis,
  { replicas = 0, keptMs = 3_600_000, lookAgainMs = 5_000 }: RedisApprovalsOptions = {},
): RedisApprovals {
  const connections = { client: connect(), witness: connect(), listener: connect() }
  const unwitnessed: string[] = []
  const store = createRedisApprovalStore({
    ...connections,
    keyPrefix: 'tg:',
    replicas,
    keptMs,
    lookAgainMs,
    onUnwitnessed: (id) => unwitnessed.push(id),
  })
  return {
    store,
    unwitnessed,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}
