import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DisclosuresConfig } from '../../config/audit-config.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Durability } from '../audit-log.ts'
import { createEpochDirectory } from '../epoch-directory.ts'
import { WriteAheadLog } from '../write-ahead-log.ts'
import { openDisclosureKeys } from './disclosure-keys.ts'
import { DisclosureLog } from './disclosure-log.ts'

export interface OpenDisclosuresOptions {
  readonly config: DisclosuresConfig
  readonly node: string
  /** Of the log whose entries commit to them; the store uses the same name. */
  readonly epoch: string
  readonly segmentLimitBytes: number
  readonly clock: Clock
  readonly onLost: (calls: number, cause: unknown) => void
}

/**
 * Begins the store of one epoch: files of the log's own kind, of which nothing needs to be recovered, because a torn
 * tail holds nothing that could be read.
 */
export async function openDisclosures(options: OpenDisclosuresOptions): Promise<DisclosureLog> {
  const { config, node, epoch, segmentLimitBytes, clock, onLost } = options
  const keys = await openDisclosureKeys(config.directory, config.keyFile)
  const nodeDirectory = join(config.directory, node)
  await mkdir(nodeDirectory, { recursive: true, mode: 0o700 })
  const { directory, lock } = await createEpochDirectory(nodeDirectory, epoch)
  const files = await WriteAheadLog.open({ directory, epoch, segmentLimitBytes, clock })
  const log = {
    append: (block: Uint8Array, durability: Durability) => files.append(block, durability),
    async seal() {
      await files.seal()
      lock.release()
    },
  }
  return new DisclosureLog({ log, keys, clock, onLost })
}
