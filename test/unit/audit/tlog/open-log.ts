import { generateKeyPairSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { lockDirectory } from '../../../../gateway/lib/directory-lock.ts'
import { readEpoch } from '../../../../gateway/audit/read-entries.ts'
import { parseCheckpoint, type Checkpoint } from '../../../../gateway/audit/tlog/checkpoint.ts'
import { isSignedBy } from '../../../../gateway/audit/tlog/note.ts'
import { createKeySigner } from '../../../../gateway/audit/tlog/signer.ts'
import {
  TransparencyLog,
  type TransparencyLogOptions,
} from '../../../../gateway/audit/tlog/transparency-log.ts'
import type { TemporaryDirectory } from '../../../harness/temporary-directory.ts'

export const signer = createKeySigner('gateway.example', generateKeyPairSync('ed25519').privateKey)

/** The log in this directory, which publishes for a minute only what it is told to. */
export function open(
  { path }: TemporaryDirectory,
  options: Partial<TransparencyLogOptions> = {},
): Promise<TransparencyLog> {
  const lock = lockDirectory(path)
  if (lock === undefined) throw new Error('locked')
  return TransparencyLog.open({
    directory: path,
    epoch: 'e',
    lock,
    origin: 'gateway.example/n/e',
    signer,
    segmentLimitBytes: 1_000_000,
    checkpoints: { intervalMs: 60_000, idleIntervalMs: 60_000 },
    ...options,
  })
}

/** What the log has published, under its signature. */
export async function checkpointOf({ path }: TemporaryDirectory): Promise<Checkpoint> {
  const checkpoint = parseCheckpoint(await readFile(join(path, 'checkpoint'), 'utf8'))
  if (checkpoint === undefined || !isSignedBy(checkpoint.note, [signer.key])) throw new Error('not signed')
  return checkpoint
}

export async function entriesOf({ path }: TemporaryDirectory): Promise<Buffer[]> {
  const entries: Buffer[] = []
  for await (const { bytes } of readEpoch({ node: 'n', epoch: 'e', directory: path })) entries.push(bytes)
  return entries
}

export async function append(log: TransparencyLog, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, index) => log.append(Buffer.from(`entry ${String(index)}`), 'flushed')),
  )
}
