import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../lib/clock.ts'
import { CorruptLog } from '../corrupt-log.ts'
import { hasCode, type LogDisk } from '../log-disk.ts'
import { readTail, type EpochPath } from '../read-entries.ts'
import { CHECKPOINT_FILE, parseCheckpoint, type SignedCheckpoint } from './checkpoint.ts'
import { DerivedFiles } from './derived-files.ts'
import { Integrator } from './integrator.ts'
import { isSignedBy } from './note.ts'
import { Publisher } from './publisher.ts'
import { resumeAt } from './read-edge.ts'
import type { Signer } from './signer.ts'
import type { VerifierKey } from './verifier-key.ts'

/** Who signs for a deployment, and whose signatures it believes. */
export interface Signing {
  readonly deployment: string
  readonly signer: Signer
  /** Every key that has signed in this audit directory. */
  readonly keys: readonly VerifierKey[]
}

export interface StoredCheckpoint extends SignedCheckpoint {
  /** As the file has it. */
  readonly bytes: string
}

/** @see https://c2sp.org/tlog-checkpoint "origin": it names one log and no other, ever */
export function originOf(deployment: string, { node, epoch }: Pick<EpochPath, 'node' | 'epoch'>): string {
  return `${deployment}/${node}/${epoch}`
}

/**
 * The checkpoint that an epoch was left with, `undefined` when it never had one. Throws {@link CorruptLog} when it is
 * not one of this log, signed by a key of ours.
 */
export async function readCheckpoint(
  path: EpochPath,
  { deployment, keys }: Signing,
): Promise<StoredCheckpoint | undefined> {
  const file = join(path.directory, CHECKPOINT_FILE)
  let bytes: string
  try {
    bytes = await readFile(file, 'utf8')
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return undefined
    throw cause
  }
  const checkpoint = parseCheckpoint(bytes)
  if (checkpoint === undefined || !isSignedBy(checkpoint.note, keys)) {
    throw new CorruptLog(file, 0, 'the checkpoint is not signed by a key of this audit directory')
  }
  if (checkpoint.origin !== originOf(deployment, path)) {
    throw new CorruptLog(file, 0, `the checkpoint is that of ${checkpoint.origin}`)
  }
  return { ...checkpoint, bytes }
}

/**
 * Signs everything that an epoch whose process is gone has in its write-ahead log. The checkpoint it was left with must
 * be the beginning of that: what does not follow from it is never signed.
 */
export async function completeLog(
  path: EpochPath,
  entries: number,
  stored: StoredCheckpoint | undefined,
  signing: Signing,
  { disk, clock }: { readonly disk: LogDisk; readonly clock: Clock },
): Promise<void> {
  if (stored?.size === entries) return
  const { directory } = path
  const files = new DerivedFiles(disk, directory)
  const resumed = stored && (await resumeAt(directory, stored))
  const integrator = resumed ?? new Integrator()
  for await (const segment of readTail(path, integrator.size)) {
    for (const entry of segment) {
      if (integrator.size === stored?.size) expectRoot(integrator, stored, directory)
      integrator.add(entry)
    }
    await files.write(integrator.takeFull())
  }
  await new Publisher({
    directory,
    origin: originOf(signing.deployment, path),
    signer: signing.signer,
    disk,
    clock,
    integrator,
    ...(stored && { stored: stored.bytes }),
    // The write-ahead log of a process that died may be in memory only; whoever recovered it has synced it.
    sync: () => Promise.resolve(),
  }).publish()
}

function expectRoot(integrator: Integrator, { root }: StoredCheckpoint, directory: string): void {
  if (integrator.root().equals(root)) return
  throw new CorruptLog(join(directory, CHECKPOINT_FILE), 0, 'the entries are not those that were signed')
}
