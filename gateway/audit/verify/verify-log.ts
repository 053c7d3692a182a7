import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { CorruptLog } from '../corrupt-log.ts'
import type { PrunedLogFields } from '../entry-fields.ts'
import type { EpochPath } from '../read-entries.ts'
import { CHECKPOINT_FILE, parseCheckpoint, type SignedCheckpoint } from '../tlog/checkpoint.ts'
import { originOf } from '../tlog/complete-log.ts'
import { isSignedBy } from '../tlog/note.ts'
import type { VerifierKey } from '../tlog/verifier-key.ts'
import type { Calls } from './calls.ts'
import type { Commitments } from './commitments.ts'
import { DerivedCheck } from './derived-check.ts'
import { findForgery } from './find-forgery.ts'
import { EntryReader } from './entry-reader.ts'
import type { Problems } from './problem.ts'
import { readWal } from './read-wal.ts'

/** What verification carries from log to log. */
export interface VerifyContext {
  readonly directory: string
  readonly keys: readonly VerifierKey[]
  readonly commitments: Commitments
  readonly calls: Calls
  /** `node/epoch` of each log that a start put on record as recovered, to whether it was sealed. */
  readonly recovered: Map<string, boolean>
  /** `node/epoch` of each log that was removed on record, to what it had committed to. */
  readonly pruned: Map<string, PrunedLogFields>
  readonly problems: Problems
}

export interface LogReport {
  readonly node: string
  readonly epoch: string
  readonly entries: number
  /** How many of them the checkpoint covers. */
  readonly signed: number
  readonly sealed: boolean
  /** Bytes of a write that was cut off, after everything durable. */
  readonly tornBytes: number
}

/** Checks one log: its write-ahead log, its tiles and bundles, its checkpoint, and these against each other. */
export async function verifyLog(path: EpochPath, context: VerifyContext): Promise<LogReport> {
  const { problems, directory } = context
  const place = relative(directory, path.directory)
  const checkpoint = readSigned(path, place, context)
  const derived = new DerivedCheck({ path, place, problems, checkpoint, commitments: context.commitments })
  const reader = new EntryReader(path, place, context)
  let wal = { entries: 0, sealed: false, tornBytes: 0, isWhole: false }
  try {
    wal = await readWal(path, place, problems, (entry, index) => {
      derived.take(entry)
      reader.take(entry, index)
    })
  } catch (cause) {
    if (!(cause instanceof CorruptLog)) throw cause
    problems.add(
      'segment.missing',
      relative(directory, cause.path),
      cause.offset,
      'an audit segment is missing',
    )
  }
  reader.end(wal)
  // What is missing from the write-ahead log is told already; without it nothing else can be compared.
  if (wal.isWhole) {
    const mismatch = derived.end()
    if (mismatch && checkpoint !== undefined) await findForgery(path, place, checkpoint, problems)
  }
  const { entries, sealed, tornBytes } = wal
  return { node: path.node, epoch: path.epoch, entries, signed: checkpoint?.size ?? 0, sealed, tornBytes }
}

function readSigned(
  path: EpochPath,
  place: string,
  { keys, problems }: VerifyContext,
): SignedCheckpoint | undefined {
  const file = join(path.directory, CHECKPOINT_FILE)
  const shown = join(place, CHECKPOINT_FILE)
  // A log that lives for less than a second has none yet; one that has ended is told of as not signed.
  if (!existsSync(file)) return undefined
  const checkpoint = parseCheckpoint(readFileSync(file, 'utf8'))
  if (checkpoint === undefined) {
    problems.add('checkpoint.malformed', shown, 0, 'this is no checkpoint')
    return undefined
  }
  const signers = keys.filter((key) => isSignedBy(checkpoint.note, [key]))
  if (signers.length === 0) {
    problems.add('checkpoint.unsigned', shown, 0, 'none of the keys signed this checkpoint')
    return undefined
  }
  if (signers.every(({ name }) => originOf(name, path) !== checkpoint.origin)) {
    problems.add('checkpoint.foreign', shown, 0, `this is the checkpoint of ${checkpoint.origin}`)
    return undefined
  }
  return checkpoint
}
