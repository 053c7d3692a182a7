import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { ApprovalEvent, ApprovalEventKind } from '../approvals/approval-event.ts'
import type { ApprovalId, ApprovalKind, Subject } from '../approvals/approval.ts'
import { peopleFor } from '../approvals/people.ts'
import type { VoteRefusal } from '../approvals/vote.ts'
import { printable } from '../lib/scrub.ts'
import type { PendingBounds, PendingCount } from '../store/approval-store.ts'
import { causeFields } from './call-line.ts'
import type { Log } from './log.ts'

const KINDS = ['approval', 'review'] as const satisfies readonly ApprovalKind[]
const EVENTS = [
  'requested',
  'voted',
  'vote_refused',
  'escalated',
  'approved',
  'denied',
  'expired',
  'revoked',
  'consumed',
] as const satisfies readonly ApprovalEventKind[]
const VOTE_REFUSALS = [
  'not_entitled',
  'excluded',
  'stale_view',
  'final',
] as const satisfies readonly VoteRefusal[]
/** Somebody at the screen answers within a minute or two, somebody on call within the hour. */
const ANSWER_SECONDS = [5, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400, 86_400]

/** What is asked of approvals when somebody scrapes. */
export interface WatchedApprovals {
  readonly pending: Readonly<Record<ApprovalKind, PendingCount>> | undefined
  readonly isUp: boolean
}

export interface ApprovalEventsOptions {
  readonly log: Pick<Log, 'write'>
  readonly registry: Registry
  /** `undefined` before there are any. */
  readonly watched: () => WatchedApprovals | undefined
}

export type ApprovalEvents = ReturnType<typeof createApprovalEvents>

/** What happens to approvals, as the log and the metrics learn it. */
export function createApprovalEvents({ log, registry, watched }: ApprovalEventsOptions) {
  registerGauges(registry, watched)
  const metrics = defineMetrics(registry)
  return {
    happened(event: ApprovalEvent): void {
      const { kind, approval } = event
      metrics.events.inc({ kind: approval.kind, event: isUnused(event) ? 'unused' : kind })
      if (kind === 'vote_refused') metrics.votesRefused.inc({ why: event.why })
      if (kind === 'approved' || kind === 'denied') {
        const seconds = (approval.resolvedAtMs - approval.createdAtMs) / 1_000
        metrics.answerSeconds.observe({ kind: approval.kind, answer: kind }, seconds)
      }
      log.write(kind === 'vote_refused' ? 'warn' : 'info', `approval.${kind}`, fieldsOf(event))
    },
    full(bound: keyof PendingBounds, { agent, callId, operation, tenant }: Subject): void {
      metrics.unasked.inc({ bound })
      log.write('warn', 'approval.full', {
        call_id: callId,
        agent: printable(agent.id, 256),
        tenant: printable(tenant, 256),
        operation,
        detail: bound,
      })
    },
    unheld(): void {
      metrics.unheld.inc()
    },
    unwitnessed(approval: ApprovalId): void {
      metrics.unwitnessed.inc()
      log.write('error', 'approval.unwitnessed', { approval })
    },
    storeState(state: 'up' | 'down', cause: unknown): void {
      log.write(state === 'up' ? 'info' : 'error', 'approval.store_state', { state, ...causeFields(cause) })
    },
  }
}

/** People said yes in time, and the agent did not come back: nobody has to be asked why they did not answer. */
function isUnused({ kind, approval }: ApprovalEvent): boolean {
  return kind === 'expired' && peopleFor(approval.votes).length >= approval.terms.count
}

function fieldsOf(event: ApprovalEvent): Parameters<Log['write']>[2] {
  const { kind, approval } = event
  const { subject } = approval
  return {
    approval: approval.id,
    call_id: kind === 'consumed' && approval.consumedBy !== '' ? approval.consumedBy : subject.callId,
    agent: printable(subject.agent.id, 256),
    principal: printable(subject.principal, 256),
    tenant: printable(subject.tenant, 256),
    operation: subject.operation,
    risk: subject.risk,
    ...whoFields(event),
  }
}

function whoFields(event: ApprovalEvent): { actor?: string; decision?: string; reason?: string } {
  switch (event.kind) {
    case 'voted':
      return { actor: printable(event.vote.person.id, 256), decision: event.vote.verdict }
    case 'vote_refused': {
      const { person, verdict } = event.ballot
      return { actor: printable(person.id, 256), decision: verdict, reason: event.why }
    }
    case 'revoked':
      return { actor: printable(event.approval.revokedBy, 256) }
    default:
      return {}
  }
}

function defineMetrics(registry: Registry) {
  const registers = [registry]
  const events = new Counter({
    name: 'toolgate_approval_events_total',
    help: 'What happened to approvals and reviews, through this process; an approval that expires after people said yes is unused.',
    labelNames: ['kind', 'event'],
    registers,
  })
  const votesRefused = new Counter({
    name: 'toolgate_approval_votes_refused_total',
    help: 'Answers that did not count, by why.',
    labelNames: ['why'],
    registers,
  })
  const unasked = new Counter({
    name: 'toolgate_approvals_unasked_total',
    help: 'Calls for which nobody was asked, because too many wait already: of the agent, or overall.',
    labelNames: ['bound'],
    registers,
  })
  const unheld = new Counter({
    name: 'toolgate_calls_unheld_total',
    help: 'Calls that were to wait for people and were answered at once, because as many as may wait did.',
    registers,
  })
  const unwitnessed = new Counter({
    name: 'toolgate_approvals_unwitnessed_total',
    help: 'Changes that too few replicas of the store acknowledged in time.',
    registers,
  })
  const answerSeconds = new Histogram({
    name: 'toolgate_approval_answer_seconds',
    help: 'From the question to the answer that settled it.',
    labelNames: ['kind', 'answer'],
    buckets: ANSWER_SECONDS,
    registers,
  })
  // From zero: an increase that nobody saw begin is none to Prometheus.
  for (const kind of KINDS) for (const event of [...EVENTS, 'unused']) events.inc({ kind, event }, 0)
  for (const why of VOTE_REFUSALS) votesRefused.inc({ why }, 0)
  for (const bound of ['perAgent', 'overall']) unasked.inc({ bound }, 0)
  return { events, votesRefused, unasked, unheld, unwitnessed, answerSeconds }
}

/** The store is one for all workers, and so each of them says the same. */
function registerGauges(registry: Registry, watched: () => WatchedApprovals | undefined): void {
  const registers = [registry]
  const ofKind = (name: string, help: string, read: (pending: PendingCount) => number): void => {
    const collect = function (this: Gauge): void {
      this.reset()
      const pending = watched()?.pending
      if (pending !== undefined) for (const kind of KINDS) this.set({ kind }, read(pending[kind]))
    }
    void new Gauge({ name, help, labelNames: ['kind'], aggregator: 'max', registers, collect })
  }
  ofKind('toolgate_approvals_pending', 'Approvals and reviews that wait for people.', ({ count }) => count)
  ofKind(
    'toolgate_approvals_oldest_pending_seconds',
    'For how long the oldest of them has waited; 0 where none does.',
    ({ oldestMs }) => oldestMs / 1_000,
  )
  void new Gauge({
    name: 'toolgate_approvals_store_up',
    help: 'Whether the store of approvals answers.',
    aggregator: 'min',
    registers,
    collect() {
      const approvals = watched()
      if (approvals !== undefined) this.set(Number(approvals.isUp))
    },
  })
}
