import { generateKeyPairSync } from 'node:crypto'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { createKeySigner } from '../../gateway/audit/tlog/signer.ts'
import { TransparencyLog } from '../../gateway/audit/tlog/transparency-log.ts'
import { formatVerifierKey } from '../../gateway/audit/tlog/verifier-key.ts'
import { lockDirectory } from '../../gateway/lib/directory-lock.ts'
import { temporaryDirectory } from './temporary-directory.ts'

export interface GrowingLog extends AsyncDisposable {
  readonly directory: string
  /** Verifier key. */
  readonly key: string
  /** Appends until there are so many entries, and publishes; gives back a copy of the checkpoint. */
  growTo(size: number): Promise<string>
}

/** A log of entries of every length from 1 byte on, published at the sizes that are asked for. */
export async function startGrowingLog(): Promise<GrowingLog> {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await temporaryDirectory())
  const kept = stack.use(await temporaryDirectory())
  const lock = lockDirectory(path)
  if (lock === undefined) throw new Error('locked')
  const signer = createKeySigner('gateway.example', generateKeyPairSync('ed25519').privateKey)
  const failures: unknown[] = []
  const log = stack.use(
    await TransparencyLog.open({
      directory: path,
      epoch: 'e',
      lock,
      origin: 'gateway.example/n/e',
      signer,
      segmentLimitBytes: 67_108_864,
      checkpoints: { intervalMs: 3_600_000, idleIntervalMs: 3_600_000 },
      onPublishFailed: (cause) => void failures.push(cause),
    }),
  )
  let size = 0
  const owned = stack.move()
  return {
    directory: path,
    key: formatVerifierKey(signer.key),
    async growTo(wanted) {
      const appends: Promise<unknown>[] = []
      for (; size < wanted; size++) {
        const entry = Buffer.from(String(size).repeat(1 + (size % 7)))
        appends.push(log.append(entry, 'flushed'))
        if (size % 4_096 === 0) await Promise.all(appends)
      }
      await Promise.all(appends)
      await log.publish()
      if (failures.length > 0) throw new Error('the log was not published', { cause: failures[0] })
      const copy = join(kept.path, String(wanted))
      await cp(join(path, 'checkpoint'), copy)
      return copy
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
