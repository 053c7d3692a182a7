import { isHold } from '../../refusal.ts'
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { lockNamedIn } from '../../locks/describe-lock.ts'
import { readBlockHeader } from '../disclosures/block.ts'
import { decodeEntry, type DecisionEntry, type OutcomeEntry } from '../entry.ts'
import { type EventEntry, mentionsOf } from './event.ts'

/** Where an entry or a block stands, as the index keeps it. */
export interface IndexedPosition {
  /** Row of the epoch. */
  readonly epoch: number
  readonly segment: number
  readonly offset: number
  /** Number of the entry in its epoch. */
  readonly number: number
}

/** Texts that are looked up again and again; tasks come and go, so it is emptied when it grows. */
const MAX_NAMES = 50_000

const CALL = 'call, time, agent, principal, tenant, task, operation, decision, risk'
const INTENT = 'intent_epoch, intent_segment, intent_offset, intent_number'
const END = 'outcome, status, end_epoch, end_segment, end_offset, end_number'

/** Writes entries of the log, and blocks of disclosures, into the tables. */
export class IndexWriter {
  readonly #names = new Map<string, number>()
  readonly #findName: StatementSync
  readonly #addName: StatementSync
  readonly #intend: StatementSync
  readonly #end: StatementSync
  readonly #addResource: StatementSync
  readonly #addDisclosure: StatementSync
  readonly #addEvent: StatementSync
  readonly #addMention: StatementSync
  readonly #addCallApproval: StatementSync
  readonly #addCallLock: StatementSync

  constructor(database: DatabaseSync) {
    this.#findName = database.prepare('SELECT id FROM names WHERE text = ?')
    this.#addName = database.prepare('INSERT INTO names (text) VALUES (?) RETURNING id')
    this.#intend = database.prepare(
      `INSERT INTO calls (${CALL}, ${INTENT}) VALUES (${marks(13)})
       ON CONFLICT (call) DO UPDATE SET ${takeOver(`${CALL}, ${INTENT}`)} RETURNING id`,
    )
    // What the intent said of the call stands, if it is there.
    this.#end = database.prepare(
      `INSERT INTO calls (${CALL}, ${END}) VALUES (${marks(15)})
       ON CONFLICT (call) DO UPDATE SET ${takeOver(END)} RETURNING id`,
    )
    this.#addResource = database.prepare('INSERT OR IGNORE INTO resources VALUES (?, ?)')
    this.#addDisclosure = database.prepare('INSERT OR IGNORE INTO disclosures VALUES (?, ?, ?, ?)')
    this.#addEvent = database.prepare(
      `INSERT OR IGNORE INTO events (time, type, epoch, segment, offset, number) VALUES (${marks(6)}) RETURNING id`,
    )
    this.#addMention = database.prepare('INSERT OR IGNORE INTO mentions VALUES (?, ?, ?)')
    this.#addCallApproval = database.prepare('INSERT OR IGNORE INTO call_approvals VALUES (?, ?)')
    this.#addCallLock = database.prepare('INSERT OR IGNORE INTO call_locks VALUES (?, ?)')
  }

  addEntry(bytes: Buffer, at: IndexedPosition): void {
    const entry = decodeEntry(bytes)
    if (entry === undefined) return
    switch (entry.type) {
      // They change nothing that is in force, and there are many of them.
      case 'open':
      case 'checkpoint':
      case 'shadow':
        return
      case 'decision':
        this.#addResources(entry, this.#intend.get(...this.#callValues(entry), ...positionValues(at)))
        if (entry.approval !== undefined) this.#addCallApproval.run(entry.approval.id, entry.call)
        return
      case 'outcome': {
        const ended = [this.#name(entry.outcome), entry.status, ...positionValues(at)]
        this.#addResources(entry, this.#end.get(...this.#callValues(entry), ...ended))
        const lock = entry.outcome === 'lock.engaged' ? lockNamedIn(entry.detail ?? '') : undefined
        if (lock !== undefined) this.#addCallLock.run(lock, entry.call)
        return
      }
      default:
        this.#addAsEvent(entry, at)
    }
  }

  #addAsEvent(entry: EventEntry, at: IndexedPosition): void {
    const added = this.#addEvent.get(Date.parse(entry.time), entry.type, ...positionValues(at))
    // It is here already, with all that it mentions.
    if (added === undefined) return
    for (const [role, name] of mentionsOf(entry)) this.#addMention.run(role, name, idOf(added))
    if (entry.type === 'approval') this.#addCallApproval.run(entry.approval, entry.call)
  }

  addBlock(bytes: Buffer, { epoch, segment, offset }: IndexedPosition): void {
    for (const call of readBlockHeader(bytes)?.calls ?? []) {
      this.#addDisclosure.run(call, epoch, segment, offset)
    }
  }

  #callValues(entry: DecisionEntry | OutcomeEntry): SQLInputValue[] {
    const { who, what, declared, risk } = entry
    return [
      entry.call,
      Date.parse(entry.received ?? entry.time),
      this.#name(who?.agent),
      this.#name(who?.principal),
      this.#name(who?.tenant),
      this.#name(declared?.task),
      this.#name(what?.operation),
      this.#name(decisionOf(entry)),
      risk ?? null,
    ]
  }

  #addResources({ resource }: DecisionEntry | OutcomeEntry, row: unknown): void {
    if (resource === undefined) return
    const { account, channel, project, repository } = resource
    for (const text of [account, channel, project, repository]) {
      const name = this.#name(text)
      if (name !== null) this.#addResource.run(name, idOf(row))
    }
  }

  #name(text: string | undefined): number | null {
    if (text === undefined || text === '') return null
    let id = this.#names.get(text)
    if (id === undefined) {
      id = idOf(this.#findName.get(text) ?? this.#addName.get(text))
      if (this.#names.size >= MAX_NAMES) this.#names.clear()
      this.#names.set(text, id)
    }
    return id
  }
}

/** What the gateway made of a call; `undefined` for an end that follows an intent. */
export function decisionOf(entry: DecisionEntry | OutcomeEntry): string | undefined {
  if (entry.type === 'decision') return entry.decision
  if (isHold(entry.outcome)) return 'hold'
  if (entry.outcome === 'policy.denied') return 'deny'
  return entry.received === undefined ? undefined : 'refused'
}

function positionValues({ epoch, segment, offset, number }: IndexedPosition): number[] {
  return [epoch, segment, offset, number]
}

function idOf(row: unknown): number {
  if (typeof row === 'object' && row !== null && 'id' in row && typeof row.id === 'number') return row.id
  throw new Error('the index gave no id')
}

function marks(count: number): string {
  return Array.from({ length: count }, () => '?').join(', ')
}

function takeOver(columns: string): string {
  return columns
    .split(', ')
    .map((column) => `${column} = excluded.${column}`)
    .join(', ')
}
