import type { AuditIndex } from './audit-index.ts'
import type { IndexedPosition } from './index-writer.ts'

/** A row as SQLite gives it. */
export type Row = Readonly<Record<string, unknown>>

/** Where the blocks stand that hold disclosures of the call, in the order written. */
export function disclosuresOf({ database }: AuditIndex, call: string): IndexedPosition[] {
  const statement = database.prepare(
    'SELECT epoch, segment, offset, 0 AS number FROM disclosures WHERE call = ? ORDER BY epoch, segment, offset',
  )
  return statement.all(call).map((row) => positionIn(row, ''))
}

/** The position in a row, whose columns begin with `prefix`. */
export function positionIn(row: Row, prefix: string): IndexedPosition {
  return {
    epoch: Number(row[`${prefix}epoch`]),
    segment: Number(row[`${prefix}segment`]),
    offset: Number(row[`${prefix}offset`]),
    number: Number(row[`${prefix}number`]),
  }
}
