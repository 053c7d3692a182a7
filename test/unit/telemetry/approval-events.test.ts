import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { eventsBetween } from '../../../gateway/approvals/approval-event.ts'
import type { Approval } from '../../../gateway/approvals/approval.ts'
import { settle } from '../../../gateway/approvals/lifetime.ts'
import { vote } from '../../../gateway/approvals/vote.ts'
import { createApprovalEvents, type WatchedApprovals } from '../../../gateway/telemetry/approval-events.ts'
import { ballot, pendingApproval, person, subject } from '../../harness/approval.ts'

function start(watched?: WatchedApprovals) {
  const registry = new Registry()
  const lines: { level: string; event: string; fields: Readonly<Record<string, unknown>> }[] = []
  const write = (level: string, event: string, fields: object): void =>
    void lines.push({ level, event, fields: { ...fields } })
  const events = createApprovalEvents({ log: { write }, registry, watched: () => watched })
  const metrics = (): Promise<string> => registry.metrics()
  return { events, lines, metrics }
}

const voted = (approval: Approval, atMs: number): Approval =>
  vote(approval, ballot(person('alice')), atMs).next ?? approval

it('counts what happens, and how long people took to answer', async () => {
  const { events, lines, metrics } = start()
  const before = pendingApproval()
  for (const event of eventsBetween(before, voted(before, 45_000), 45_000)) events.happened(event)
  const text = await metrics()
  expect(text).toContain('toolgate_approval_events_total{kind="approval",event="approved"} 1')
  expect(text).toContain('toolgate_approval_answer_seconds_sum{kind="approval",answer="approved"} 45')
  expect(lines).toMatchObject([
    {
      level: 'info',
      event: 'approval.voted',
      fields: { actor: 'alice', decision: 'approve', agent: 'release-bot' },
    },
    { level: 'info', event: 'approval.approved' },
  ])
})

it('tells one that nobody answered from one that its agent did not come back for', async () => {
  const { events, metrics } = start()
  const before = pendingApproval()
  const approved = voted(before, 1_000)
  for (const [held, atMs] of [
    [before, 1_800_000],
    [approved, 901_000],
  ] as const) {
    for (const event of eventsBetween(held, settle(held, atMs), atMs)) events.happened(event)
  }
  const text = await metrics()
  expect(text).toContain('toolgate_approval_events_total{kind="approval",event="expired"} 1')
  expect(text).toContain('toolgate_approval_events_total{kind="approval",event="unused"} 1')
})

it('warns of somebody who may not answer, and of an agent that asks too much', async () => {
  const { events, lines, metrics } = start()
  const cast = ballot(person('eve'))
  events.happened({
    kind: 'vote_refused',
    atMs: 1,
    approval: pendingApproval(),
    ballot: cast,
    why: 'excluded',
  })
  events.full('perAgent', subject())
  expect(lines).toMatchObject([
    { level: 'warn', event: 'approval.vote_refused', fields: { actor: 'eve', reason: 'excluded' } },
    { level: 'warn', event: 'approval.full', fields: { agent: 'release-bot', detail: 'perAgent' } },
  ])
  const text = await metrics()
  expect(text).toContain('toolgate_approval_votes_refused_total{why="excluded"} 1')
  expect(text).toContain('toolgate_approvals_unasked_total{bound="perAgent"} 1')
})

it('says how many wait, and nothing of that while the store is away', async () => {
  const pending = { approval: { count: 2, oldestMs: 40_000 }, review: { count: 0, oldestMs: 0 } }
  const up = await start({ pending, isUp: true }).metrics()
  expect(up).toContain('toolgate_approvals_pending{kind="approval"} 2')
  expect(up).toContain('toolgate_approvals_oldest_pending_seconds{kind="approval"} 40')
  const down = await start({ pending: undefined, isUp: false }).metrics()
  expect(down).not.toMatch(/^toolgate_approvals_pending\{/m)
  expect(down).toContain('toolgate_approvals_store_up 0')
})
