import type { ApprovalEvent } from './approvals/approval-event.ts'
import { ApprovalKeeper, DAY_MS } from './approvals/approval-keeper.ts'
import { ApprovalService } from './approvals/approval-service.ts'
import type { ApprovalId } from './approvals/approval.ts'
import { KnownPeople } from './approvals/known-people.ts'
import type { Audit } from './audit/open-audit.ts'
import type { Config } from './config/config.ts'
import type { Clock } from './lib/clock.ts'
import { createRandomPool } from './lib/random-pool.ts'
import { createUuidV7 } from './lib/uuid-v7.ts'
import { approvalNews } from './notify/approval-news.ts'
import type { Notify } from './notify/event.ts'
import { openApprovalStore } from './store/open-approval-store.ts'
import type { ControlPlace } from './store/open-control.ts'
import type { Telemetry } from './telemetry/telemetry.ts'

export interface OpenApprovalsOptions {
  readonly config: Pick<Config, 'approvals' | 'listen' | 'notify'>
  readonly control: ControlPlace
  readonly clock: Clock
  readonly audit: Pick<Audit, 'changes' | 'tokens'>
  readonly events: Pick<Telemetry['events'], 'approval' | 'store'>
  readonly notify: Notify
  /** Looks whether what happens is suspicious. */
  readonly detect: (event: ApprovalEvent) => void
}

export interface OpenedApprovals extends AsyncDisposable {
  readonly service: ApprovalService
  readonly keeper: ApprovalKeeper
  /** Whose answers count, which a configuration read anew may change. */
  readonly people: KnownPeople
}

/** Approvals, where the control state is kept; whatever happens to them is on record, counted, and told to people. */
export function openApprovals(options: OpenApprovalsOptions): OpenedApprovals {
  const { control, clock, audit, events, notify, detect } = options
  const { approvals: config } = options.config
  const people = new KnownPeople(options.config)
  const stack = new AsyncDisposableStack()
  const store = stack.use(
    openApprovalStore({
      control,
      clock,
      keptMs: config.retention.days * DAY_MS,
      onUnwitnessed: events.approval.unwitnessed,
      onConnectionFailed: events.store.connectionFailed,
    }),
  )
  const service = new ApprovalService({
    store,
    config,
    people,
    newId: createUuidV7(() => clock.nowMs(), createRandomPool()) as () => ApprovalId,
    onEvent: (event: ApprovalEvent) => {
      audit.changes.approvalChanged(event, audit.tokens)
      events.approval.happened(event)
      const news = approvalNews(event)
      if (news !== undefined) notify(news)
      detect(event)
    },
    onFull: events.approval.full,
  })
  const keeper = stack.use(
    new ApprovalKeeper({
      store,
      service,
      retention: config.retention,
      onState: events.approval.storeState,
    }),
  )
  void keeper.round()
  return { service, keeper, people, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
