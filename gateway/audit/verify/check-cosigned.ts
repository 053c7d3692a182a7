import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { EpochPath } from '../read-entries.ts'
import { CHECKPOINT_FILE, parseCheckpoint } from '../tlog/checkpoint.ts'
import { originOf } from '../tlog/complete-log.ts'
import { isSignedBy } from '../tlog/note.ts'
import type { VerifierKey } from '../tlog/verifier-key.ts'
import type { CosignerKey } from '../witness/cosigner-key.ts'
import { COSIGNED_FILE } from '../witness/witnessing.ts'
import type { Commitments } from './commitments.ts'
import type { Problems } from './problem.ts'

/** Who has to have cosigned, and how many of them. */
export interface WitnessPolicy {
  readonly witnesses: readonly CosignerKey[]
  readonly quorum: number
}

interface CosignedContext {
  readonly directory: string
  readonly keys: readonly VerifierKey[]
  readonly commitments: Commitments
  readonly problems: Problems
}

/**
 * Each fleet log must have a checkpoint of its own that a quorum has cosigned; it is then held to that, as it is to a
 * checkpoint kept elsewhere.
 */
export function checkCosigned(
  fleetLogs: readonly EpochPath[],
  { witnesses, quorum }: WitnessPolicy,
  { directory, keys, commitments, problems }: CosignedContext,
): void {
  for (const path of fleetLogs) {
    // Nothing is signed of a log that has just begun.
    if (!existsSync(join(path.directory, CHECKPOINT_FILE))) continue
    const file = join(path.directory, COSIGNED_FILE)
    const shown = relative(directory, file)
    const checkpoint = existsSync(file) ? parseCheckpoint(readFileSync(file, 'utf8')) : undefined
    const signer = keys.find(
      (key) => checkpoint?.origin === originOf(key.name, path) && isSignedBy(checkpoint.note, [key]),
    )
    if (checkpoint === undefined || signer === undefined) {
      problems.add('cosignature.missing', shown, 0, 'there is no cosigned checkpoint of this log')
      continue
    }
    const cosigners = witnesses.filter((witness) => isSignedBy(checkpoint.note, [witness]))
    if (cosigners.length < quorum) {
      const detail = `${String(cosigners.length)} of the given witnesses cosigned, ${String(quorum)} have to`
      problems.add('cosignature.missing', shown, 0, detail)
      continue
    }
    commitments.add(checkpoint, 'its cosigned checkpoint', shown)
  }
}
