import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditConfig } from '../config/audit-config.ts'
import { systemClock, type Clock } from '../lib/clock.ts'
import { isoTime } from '../lib/iso-time.ts'
import { createEpochDirectory } from './epoch-directory.ts'
import { originOf, type Signing } from './tlog/complete-log.ts'
import { TransparencyLog, type TransparencyLogOptions } from './tlog/transparency-log.ts'

export interface BeginEpochOptions extends Pick<
  TransparencyLogOptions,
  'disk' | 'onSync' | 'onFailure' | 'onPublished' | 'onPublishFailed' | 'carry'
> {
  readonly config: AuditConfig
  /** Name of this process within the deployment; a directory name. */
  readonly node: string
  readonly signing: Signing
  readonly clock?: Clock
}

/** Begins the log of this process life, in a directory of its own that nobody else takes while it lives. */
export async function beginEpoch(options: BeginEpochOptions): Promise<TransparencyLog> {
  const { config, node, signing, clock = systemClock } = options
  // Sorts by time, and no two processes of one millisecond meet.
  const began = isoTime(clock.nowMs()).replaceAll(/[-:.]/g, '')
  const epoch = `${began}-${randomBytes(4).toString('hex')}`
  const nodeDirectory = join(config.directory, node)
  await mkdir(nodeDirectory, { recursive: true, mode: 0o700 })
  const { directory, lock } = await createEpochDirectory(nodeDirectory, epoch)
  try {
    return await TransparencyLog.open({
      ...options,
      clock,
      directory,
      epoch,
      lock,
      origin: originOf(signing.deployment, { node, epoch }),
      signer: signing.signer,
      segmentLimitBytes: config.segmentLimitBytes,
      checkpoints: {
        intervalMs: config.checkpointIntervalMs,
        idleIntervalMs: config.idleCheckpointIntervalMs,
      },
    })
  } catch (cause) {
    // Held on, it would look like the log of a living process to the next start.
    lock.release()
    throw cause
  }
}
