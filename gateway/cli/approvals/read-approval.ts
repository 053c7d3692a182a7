import { hash } from 'node:crypto'
import { UsageError } from '../command.ts'

/** One row of a list, as the admin listener gives it. */
export interface ListedApproval {
  readonly id: string
  readonly state: string
  readonly risk: number
  readonly operation: string
  readonly agent: string
  readonly principal: string
  readonly given: number
  readonly needed: number
  readonly groups: readonly string[]
  readonly created: string
  /** Empty once it is over. */
  readonly ends: string
}

export interface ShownVote {
  readonly person: string
  readonly verdict: string
  readonly comment: string
  readonly at: string
}

export interface ShownApproval extends ListedApproval {
  readonly call: string
  readonly view: string
  /** Made here, of the view: what the gateway says of it proves nothing. */
  readonly viewDigest: string
  readonly votes: readonly ShownVote[]
  readonly excluded: readonly string[]
  readonly you: string
  readonly consumedBy: string
  readonly revokedBy: string
  readonly revocationReason: string
}

type Members = Readonly<Record<string, unknown>>

const ID = /^[0-9A-Fa-f-]{36}$/

/** Path of one approval below `/admin/v1/`. */
export function pathOf(positionals: readonly string[]): string {
  const [id, ...more] = positionals
  if (id === undefined || more.length > 0) throw new UsageError('one approval at a time, by its id')
  if (!ID.test(id)) throw new UsageError(`${JSON.stringify(id.slice(0, 64))} is no id of an approval`)
  return `approvals/${id.toLowerCase()}`
}

/** @throws Error where the answer is not one that this program knows */
export function readList(untrusted: unknown): readonly ListedApproval[] {
  const rows = membersOf(untrusted)['approvals']
  if (!Array.isArray(rows)) throw foreign('approvals')
  return rows.map((row) => listed(membersOf(row)))
}

/** @throws Error where the answer is not one that this program knows */
export function readApproval(untrusted: unknown): ShownApproval {
  const approval = membersOf(membersOf(untrusted)['approval'])
  const view = text(approval, 'view')
  return {
    ...listed({ ...approval, agent: membersOf(approval['agent'])['id'] }),
    call: text(approval, 'call'),
    view,
    viewDigest: hash('sha256', view, 'hex'),
    votes: list(approval, 'votes').map((vote) => readVote(membersOf(vote))),
    excluded: texts(approval, 'excluded'),
    you: text(approval, 'you', ''),
    consumedBy: text(approval, 'consumedBy', ''),
    revokedBy: text(approval, 'revokedBy', ''),
    revocationReason: text(approval, 'revocationReason', ''),
  }
}

function listed(row: Members): ListedApproval {
  const votes = membersOf(row['approvals'])
  return {
    id: text(row, 'id'),
    state: text(row, 'state'),
    risk: number(row, 'risk'),
    operation: text(row, 'operation'),
    agent: text(row, 'agent'),
    principal: text(row, 'principal'),
    given: number(votes, 'given'),
    needed: number(votes, 'needed'),
    groups: texts(row, 'groups'),
    created: text(row, 'created'),
    ends: text(row, 'ends', ''),
  }
}

function readVote(vote: Members): ShownVote {
  return {
    person: text(membersOf(vote['person']), 'id'),
    verdict: text(vote, 'verdict'),
    comment: text(vote, 'comment', ''),
    at: text(vote, 'at'),
  }
}

function membersOf(untrusted: unknown): Members {
  if (typeof untrusted !== 'object' || untrusted === null || Array.isArray(untrusted))
    throw foreign('an object')
  return untrusted as Members
}

function text(members: Members, name: string, fallback?: string): string {
  const value = members[name] ?? fallback
  if (typeof value !== 'string') throw foreign(name)
  return value
}

function number(members: Members, name: string): number {
  const value = members[name]
  if (typeof value !== 'number') throw foreign(name)
  return value
}

function list(members: Members, name: string): readonly unknown[] {
  const value = members[name]
  if (!Array.isArray(value)) throw foreign(name)
  return value
}

function texts(members: Members, name: string): readonly string[] {
  return list(members, name).map((value) => {
    if (typeof value !== 'string') throw foreign(name)
    return value
  })
}

function foreign(name: string): Error {
  return new Error(
    `the answer cannot be read (${name}): is the gateway of another version than this program?`,
  )
}
