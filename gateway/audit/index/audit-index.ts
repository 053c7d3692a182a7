import { closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CorruptLog } from '../corrupt-log.ts'
import { parseControl } from '../read-segment.ts'
import { listEpochs, listSegments, type EpochPath } from '../read-entries.ts'
import { readFrames } from '../read-frames.ts'
import { segmentName } from '../segment-file.ts'
import { IndexWriter } from './index-writer.ts'
import { INDEX_VERSION, SCHEMA } from './schema.ts'

/** Entries of one transaction: what an interrupted update has to do again. */
const BATCH_ENTRIES = 20_000
const BUSY_TIMEOUT_MS = 60_000

/** The log, or what it only commits to. */
export type Store = 'log' | 'disclosures'

export interface AuditIndexOptions {
  readonly auditDirectory: string
  /** Without it, or when it is not there, only the log is looked up. */
  readonly disclosuresDirectory?: string | undefined
  /** `index.sqlite` in the audit directory unless told: for a directory that may only be read. */
  readonly path?: string | undefined
}

export interface AuditIndex extends Disposable {
  readonly database: DatabaseSync
  /** Path of a segment of an epoch. */
  segmentPath(position: { readonly epoch: number; readonly segment: number }): string
}

/**
 * Opens the index beside the log and brings it up to date: only what was written since is read. It proves nothing and
 * may be deleted at any time; gateways neither need nor touch it, and may be writing meanwhile.
 */
export async function openAuditIndex(options: AuditIndexOptions): Promise<AuditIndex> {
  const { auditDirectory, disclosuresDirectory } = options
  if (!existsSync(auditDirectory)) throw new Error(`there is no record in ${auditDirectory}`)
  const database = openDatabase(options.path ?? join(auditDirectory, 'index.sqlite'))
  try {
    await update(database, 'log', auditDirectory)
    if (disclosuresDirectory !== undefined && existsSync(disclosuresDirectory)) {
      await update(database, 'disclosures', disclosuresDirectory)
    }
  } catch (cause) {
    database.close()
    throw cause
  }
  const findEpoch = database.prepare('SELECT store, node, epoch FROM epochs WHERE id = ?')
  const folders = new Map<number, string>()
  const folderOf = (id: number): string => {
    const row = findEpoch.get(id)
    const root = row?.['store'] === 'log' ? auditDirectory : (disclosuresDirectory ?? '')
    const folder = join(root, String(row?.['node']), String(row?.['epoch']))
    folders.set(id, folder)
    return folder
  }
  return {
    database,
    segmentPath: ({ epoch, segment }) => join(folders.get(epoch) ?? folderOf(epoch), segmentName(segment)),
    [Symbol.dispose]: () => database.close(),
  }
}

function openDatabase(path: string): DatabaseSync {
  const database = openFile(path)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536')
  database.exec('BEGIN IMMEDIATE')
  if (Number(database.prepare('PRAGMA user_version').get()?.['user_version']) !== INDEX_VERSION) {
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()
    for (const { name } of tables) database.exec(`DROP TABLE "${String(name)}"`)
    database.exec(`${SCHEMA}; PRAGMA user_version = ${INDEX_VERSION}`)
  }
  database.exec('COMMIT')
  return database
}

function openFile(path: string): DatabaseSync {
  try {
    // Made before SQLite does, which leaves it to the umask who may read; its other files take after this one.
    closeSync(openSync(path, 'a', 0o600))
    return new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  } catch (cause) {
    throw new Error(`the index ${path} cannot be written; --index names another place for it`, { cause })
  }
}

async function update(database: DatabaseSync, store: Store, directory: string): Promise<void> {
  const writer = new IndexWriter(database)
  const epochs = await listEpochs(directory)
  for (const path of epochs) await updateEpoch(database, writer, store, path)
}

interface Cursor {
  readonly id: number
  segment: number
  offset: number
  nextNumber: number
}

async function updateEpoch(
  database: DatabaseSync,
  writer: IndexWriter,
  store: Store,
  path: EpochPath,
): Promise<void> {
  const segments = await listSegments(path.directory)
  database.exec('BEGIN IMMEDIATE')
  try {
    const cursor = readCursor(database, store, path)
    for (const number of segments.filter((each) => each >= cursor.segment)) {
      if (number > cursor.segment) Object.assign(cursor, { segment: number, offset: 0 })
      const file = join(path.directory, segmentName(number))
      const whole = addSegment(database, writer, store, cursor, file)
      if (!whole && number !== segments.at(-1))
        throw new CorruptLog(file, cursor.offset, 'durable audit entries have changed')
    }
    writeCursor(database, cursor)
    database.exec('COMMIT')
  } catch (cause) {
    database.exec('ROLLBACK')
    throw cause
  }
}

/** Returns whether the segment holds nothing but sound frames, so far. */
function addSegment(
  database: DatabaseSync,
  writer: IndexWriter,
  store: Store,
  cursor: Cursor,
  file: string,
): boolean {
  let added = 0
  const { whole } = readFrames(file, cursor.offset, ({ control, payload, offset, nextOffset }) => {
    if (control) {
      const header = parseControl(payload)
      if (header?.kind === 'segment') cursor.nextNumber = header.firstIndex
    } else {
      const at = { epoch: cursor.id, segment: cursor.segment, offset, number: cursor.nextNumber }
      if (store === 'log') writer.addEntry(payload, at)
      else writer.addBlock(payload, at)
      cursor.nextNumber += 1
      added += 1
    }
    cursor.offset = nextOffset
    if (added < BATCH_ENTRIES) return
    added = 0
    writeCursor(database, cursor)
    database.exec('COMMIT; BEGIN IMMEDIATE')
  })
  return whole
}

function readCursor(database: DatabaseSync, store: Store, { node, epoch }: EpochPath): Cursor {
  database
    .prepare('INSERT OR IGNORE INTO epochs (store, node, epoch) VALUES (?, ?, ?)')
    .run(store, node, epoch)
  const row = database
    .prepare('SELECT * FROM epochs WHERE store = ? AND node = ? AND epoch = ?')
    .get(store, node, epoch)
  return {
    id: Number(row?.['id']),
    segment: Number(row?.['segment']),
    offset: Number(row?.['offset']),
    nextNumber: Number(row?.['next_number']),
  }
}

function writeCursor(database: DatabaseSync, { id, segment, offset, nextNumber }: Cursor): void {
  database
    .prepare('UPDATE epochs SET segment = ?, offset = ?, next_number = ? WHERE id = ?')
    .run(segment, offset, nextNumber, id)
}
