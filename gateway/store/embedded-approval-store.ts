import type { DatabaseSync } from 'node:sqlite'
import type { Approval, ApprovalId, ApprovalKind } from '../approvals/approval.ts'
import { dueAtMs, isOpen, openKey, pendingKey } from '../approvals/lifetime.ts'
import type { Clock } from '../lib/clock.ts'
import type {
  ApprovalStore,
  PendingBounds,
  PendingCount,
  Reading,
  Requested,
  Transition,
} from './approval-store.ts'
import { ChangeCallbacks } from './change-callbacks.ts'
import type { ControlFile } from './control-file.ts'
import { decodeApproval, encodeApproval } from './stored-approval.ts'

/**
 * What is looked for stands in columns of its own; NULL takes a row out of their indexes. Changes are numbered, and no number
 * comes twice, even where the row that had the highest is forgotten: who was told of it would miss the next.
 */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS approvals (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  ended_at_ms INTEGER,
  due_at_ms INTEGER,
  open_key TEXT UNIQUE,
  pending_key TEXT,
  change INTEGER NOT NULL,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS approvals_by_state ON approvals (state, created_at_ms);
CREATE INDEX IF NOT EXISTS approvals_by_due ON approvals (due_at_ms) WHERE due_at_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS approvals_by_pending ON approvals (pending_key) WHERE pending_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS approvals_by_change ON approvals (change);
CREATE INDEX IF NOT EXISTS approvals_pending ON approvals (kind, created_at_ms) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS approvals_by_end ON approvals (ended_at_ms) WHERE ended_at_ms IS NOT NULL;
CREATE TABLE IF NOT EXISTS approvals_forgotten (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  change INTEGER NOT NULL
) STRICT;
`

const NEWEST_CHANGE = `max(
  (SELECT coalesce(max(change), 0) FROM approvals),
  (SELECT coalesce(max(change), 0) FROM approvals_forgotten))`

const NONE_PENDING: PendingCount = { count: 0, oldestMs: 0 }

export interface EmbeddedApprovalOptions {
  /** Owned by whoever opened it. */
  readonly file: ControlFile
  readonly clock: Pick<Clock, 'nowMs'>
}

/** Approvals of one machine, in its control file: a change is one transaction, on the disk before it is answered. */
export function createEmbeddedApprovalStore({ file, clock }: EmbeddedApprovalOptions): ApprovalStore {
  file.transact(() => file.database.exec(SCHEMA))
  const rows = prepareRows(file)
  const watchers = watchChanges(file, rows)
  const read = (id: ApprovalId): Approval | undefined => decodeRow(rows.get.get(id))

  return {
    request: async ({ openKey: key, pendingKey: whose, make }, bounds) =>
      file.transact((): Requested => {
        const known = decodeRow(rows.open.get(key))
        const nowMs = clock.nowMs()
        if (known !== undefined) return { kind: 'known', approval: known, nowMs }
        const bound = boundReached(rows, whose, bounds)
        if (bound !== undefined) return { kind: 'full', bound }
        const approval = make(nowMs)
        rows.keep(approval)
        return { kind: 'made', approval }
      }),
    get: async (id) => readingOf(read(id), clock.nowMs()),
    list: async ({ states, limit }) => {
      const nowMs = clock.nowMs()
      const found = rows.list.all(JSON.stringify(states), limit)
      return found.flatMap((row) => readingOf(decodeRow(row), nowMs) ?? [])
    },
    change: async <T>(id: ApprovalId, transition: Transition<T>) =>
      file.transact((): T | undefined => {
        const approval = read(id)
        if (approval === undefined) return undefined
        const { next, answer } = transition(approval, clock.nowMs())
        if (next !== undefined) rows.keep(next)
        return answer
      }),
    due: async (limit) => rows.due.all(clock.nowMs(), limit).map((row) => row['id'] as ApprovalId),
    pending: async () => countPending(rows, clock.nowMs()),
    prune: async ({ keptMs, keptCount }) =>
      file.transact(() => {
        rows.rememberNewest.run()
        const old = rows.pruneOld.run(clock.nowMs() - keptMs).changes
        return Number(old) + Number(rows.pruneMany.run(keptCount).changes)
      }),
    watch: (id, onChange) => watchers.watch(id, onChange),
    [Symbol.asyncDispose]: async () => watchers.stop(),
  }
}

/** Finds out which approvals changed, so that a thousand held calls do not each read theirs after every change. */
function watchChanges(file: ControlFile, rows: Rows) {
  const callbacks = new ChangeCallbacks()
  let seen = Number(rows.newestChange.get()?.['change'])
  const look = (): void => {
    for (const { id, change } of rows.changedSince.all(seen)) {
      seen = Number(change)
      callbacks.changed(String(id))
    }
  }
  // Each time that the file is looked at, too: a change whose word was lost, or could not be read then, is found by the next.
  const stop = file.watch({ changed: look, heard: look })
  return { stop, watch: (id: ApprovalId, onChange: () => void) => callbacks.watch(id, onChange) }
}

type Rows = ReturnType<typeof prepareRows>

function prepareRows({ database }: ControlFile) {
  const put = database.prepare(
    `INSERT INTO approvals VALUES (:id, :kind, :state, :created, :ended, :due, :open, :pending,
       ${NEWEST_CHANGE} + 1, :value)
     ON CONFLICT (id) DO UPDATE SET (state, ended_at_ms, due_at_ms, open_key, pending_key, change, value) =
       (excluded.state, excluded.ended_at_ms, excluded.due_at_ms, excluded.open_key, excluded.pending_key,
        excluded.change, excluded.value)`,
  )
  return {
    get: database.prepare('SELECT value FROM approvals WHERE id = ?'),
    open: database.prepare('SELECT value FROM approvals WHERE open_key = ?'),
    list: database.prepare(
      `SELECT value FROM approvals WHERE state IN (SELECT value FROM json_each(?))
       ORDER BY created_at_ms DESC, id DESC LIMIT ?`,
    ),
    due: database.prepare('SELECT id FROM approvals WHERE due_at_ms <= ? ORDER BY due_at_ms LIMIT ?'),
    newestChange: database.prepare(`SELECT ${NEWEST_CHANGE} AS change`),
    changedSince: database.prepare('SELECT id, change FROM approvals WHERE change > ? ORDER BY change'),
    ...prepareCounts(database),
    ...preparePruning(database),
    keep: (approval: Approval): void => {
      const open = isOpen(approval)
      put.run({
        id: approval.id,
        kind: approval.kind,
        state: approval.state,
        created: approval.createdAtMs,
        ended: open ? null : approval.resolvedAtMs,
        due: open ? dueAtMs(approval) : null,
        open: open ? openKey(approval) : null,
        pending: approval.state === 'pending' ? pendingKey(approval) : null,
        value: encodeApproval(approval),
      })
    },
  }
}

/** Without statistics SQLite prefers an index that lacks the kind, and then reads every row that is pending. */
function prepareCounts(database: DatabaseSync) {
  return {
    pending: database.prepare(
      `SELECT kind, count(*) AS count, min(created_at_ms) AS oldest
       FROM approvals INDEXED BY approvals_pending
       WHERE state = 'pending' GROUP BY kind`,
    ),
    counted: database.prepare(
      `SELECT (SELECT count(*) FROM approvals WHERE pending_key = ?) AS perAgent,
         (SELECT count(*) FROM approvals INDEXED BY approvals_pending WHERE state = 'pending') AS overall`,
    ),
  }
}

function preparePruning(database: DatabaseSync) {
  return {
    rememberNewest: database.prepare(
      `INSERT INTO approvals_forgotten VALUES (1, ${NEWEST_CHANGE})
       ON CONFLICT (only) DO UPDATE SET change = excluded.change`,
    ),
    pruneOld: database.prepare('DELETE FROM approvals WHERE ended_at_ms < ?'),
    pruneMany: database.prepare(
      `DELETE FROM approvals WHERE id IN (
         SELECT id FROM approvals WHERE ended_at_ms IS NOT NULL ORDER BY ended_at_ms DESC LIMIT -1 OFFSET ?)`,
    ),
  }
}

function countPending(rows: Rows, nowMs: number): Record<ApprovalKind, PendingCount> {
  const counted = { approval: NONE_PENDING, review: NONE_PENDING }
  for (const { kind, count, oldest } of rows.pending.all()) {
    const of = kind === 'review' ? 'review' : 'approval'
    counted[of] = { count: Number(count), oldestMs: Math.max(0, nowMs - Number(oldest)) }
  }
  return counted
}

function boundReached(rows: Rows, whose: string, bounds: PendingBounds): keyof PendingBounds | undefined {
  const counted = rows.counted.get(whose)
  return (['perAgent', 'overall'] as const).find((bound) => Number(counted?.[bound]) >= bounds[bound])
}

function decodeRow(row: Readonly<Record<string, unknown>> | undefined): Approval | undefined {
  return row === undefined ? undefined : decodeApproval(row['value'])
}

function readingOf(approval: Approval | undefined, nowMs: number): Reading | undefined {
  return approval === undefined ? undefined : { approval, nowMs }
}
