import { readIndexed } from '../call-record.ts'
import type { ApprovalEntry } from '../change-entry.ts'
import type { AuditIndex } from '../index/audit-index.ts'
import { searchEvents } from '../index/search-events.ts'

/** What is on record of one approval or review. */
export interface ApprovalHistory {
  readonly id: string
  /** Whose call it is about, and what: the same in each of its entries. */
  readonly subject: ApprovalEntry
  /** `undefined` where people were asked in a log that is not here. */
  readonly requested: ApprovalEntry | undefined
  /** Those that counted, in their order. */
  readonly votes: readonly ApprovalEntry[]
  /** Those that did not. */
  readonly refusedVotes: readonly ApprovalEntry[]
  readonly escalated: ApprovalEntry | undefined
  /** What people, or time, made of it first; `undefined` while it waits. */
  readonly answered: ApprovalEntry | undefined
  /** What it ended as; an approved one can still be used, expire or be taken back. */
  readonly last: ApprovalEntry
  readonly consumed: ApprovalEntry | undefined
  /** From asking to the answer; `undefined` where one of the two is not on record. */
  readonly waitedMs: number | undefined
}

const ANSWERS: ReadonlySet<ApprovalEntry['state']> = new Set(['approved', 'denied', 'expired', 'revoked'])
const STATES: ReadonlySet<ApprovalEntry['state']> = new Set([...ANSWERS, 'requested', 'consumed'])

/** `undefined` without an entry. */
export function approvalHistory(entriesInAnyOrder: readonly ApprovalEntry[]): ApprovalHistory | undefined {
  const entries = entriesInAnyOrder.toSorted((one, other) => Date.parse(one.time) - Date.parse(other.time))
  const [first] = entries
  if (first === undefined) return undefined
  const of = (state: ApprovalEntry['state']): readonly ApprovalEntry[] =>
    entries.filter((entry) => entry.state === state)
  const [requested] = of('requested')
  const answered = entries.find(({ state }) => ANSWERS.has(state))
  return {
    id: first.approval,
    subject: requested ?? first,
    requested,
    votes: of('voted'),
    refusedVotes: of('vote_refused'),
    escalated: of('escalated')[0],
    answered,
    last: entries.findLast(({ state }) => STATES.has(state)) ?? first,
    consumed: of('consumed')[0],
    waitedMs: requested && answered && Date.parse(answered.time) - Date.parse(requested.time),
  }
}

export function readApprovalHistory(index: AuditIndex, approval: string): ApprovalHistory | undefined {
  const entries: ApprovalEntry[] = []
  const filter = { types: ['approval'], mentions: { approval } } as const
  for (const { at } of searchEvents(index, filter, { order: 'oldest' })) {
    const entry = readIndexed(index, at)
    if (entry?.type === 'approval') entries.push(entry)
  }
  return approvalHistory(entries)
}
