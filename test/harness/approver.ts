import type { Approval, ApprovalId } from '../../gateway/approvals/approval.ts'
import { ApprovalService } from '../../gateway/approvals/approval-service.ts'
import type { VoteAnswer } from '../../gateway/approvals/vote.ts'
import type { Config } from '../../gateway/config/config.ts'
import { controlKindOf } from '../../gateway/config/store-config.ts'
import { systemClock } from '../../gateway/lib/clock.ts'
import { createRandomPool } from '../../gateway/lib/random-pool.ts'
import { createUuidV7 } from '../../gateway/lib/uuid-v7.ts'
import type { ApprovalStore } from '../../gateway/store/approval-store.ts'
import { openControlFile } from '../../gateway/store/control-file.ts'
import { openApprovalStore } from '../../gateway/store/open-approval-store.ts'
import type { ControlPlace } from '../../gateway/store/open-control.ts'
import { createRedisClient } from '../../gateway/store/redis-client.ts'
import { EVERYBODY_IS_KNOWN, person } from './approval.ts'
import { until } from './until.ts'

/** People at another process of the same deployment: what they say gets to the gateway through the store alone. */
export interface Approver extends AsyncDisposable {
  readonly service: ApprovalService
  get(id: string): Promise<Approval>
  say(verdict: 'approve' | 'deny', id: string, name?: string): Promise<VoteAnswer>
  /** Waits until somebody is asked. */
  asked(): Promise<Approval>
}

export async function openApprover(config: Config): Promise<Approver> {
  await using stack = new AsyncDisposableStack()
  const store = stack.use(openStoreOf(config, stack))
  const service = new ApprovalService({
    store,
    people: EVERYBODY_IS_KNOWN,
    config: config.approvals,
    newId: createUuidV7(() => systemClock.nowMs(), createRandomPool()) as () => ApprovalId,
    onEvent: () => undefined,
    onFull: () => undefined,
  })
  // A connection that is not there yet queues nothing.
  await until(() =>
    service.list([], 1).then(
      () => true,
      () => false,
    ),
  )
  const get = async (id: string): Promise<Approval> => {
    const approval = await service.lookup(id as ApprovalId)
    if (approval === undefined) throw new Error(`no approval ${id}`)
    return approval
  }
  const owned = stack.move()
  return {
    service,
    get,
    async say(verdict, id, name = 'kim@zyx.example') {
      const { subject } = await get(id)
      const ballot = { person: person(name), verdict, viewDigest: subject.viewDigest, comment: '' }
      const answer = await service.vote(id as ApprovalId, ballot)
      if (answer === undefined) throw new Error(`no approval ${id}`)
      return answer
    },
    async asked() {
      for (;;) {
        const [approval] = await service.list(['pending'], 1)
        if (approval !== undefined) return approval
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function openStoreOf({ store, approvals }: Config, stack: AsyncDisposableStack): ApprovalStore {
  const ignore = (): void => undefined
  const place = (): ControlPlace => {
    const { redis, controlFile } = store
    if (controlKindOf(store) === 'embedded' || redis === undefined)
      return { kind: 'embedded', file: stack.use(openControlFile({ path: controlFile, onFailure: ignore })) }
    const client = createRedisClient({ ...redis, password: undefined }, ignore)
    stack.defer(() => client.disconnect())
    return { kind: 'redis', client, keyPrefix: redis.keyPrefix, replicas: redis.replicas }
  }
  return openApprovalStore({
    control: place(),
    clock: systemClock,
    keptMs: approvals.retention.days * 86_400_000,
    onUnwitnessed: ignore,
    onConnectionFailed: ignore,
  })
}
