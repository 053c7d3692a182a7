import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { FleetLog } from '../../gateway/audit/fleet-log.ts'
import { openAudit, type Audit } from '../../gateway/audit/open-audit.ts'
import { listEpochs, type EpochPath } from '../../gateway/audit/read-entries.ts'
import { auditConfig } from './audit-config.ts'
import { syntheticOutcome, syntheticSealed } from './synthetic-call.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** Small enough that the busy worker has several segments. */
const SEGMENT_LIMIT_BYTES = 72_000

export interface RecordedLives extends AsyncDisposable {
  readonly directory: string
  /** The same directory some time before, all logs open. */
  readonly earlier: string
  /** Logs by node; for each its first life, which was killed, and its second, which ended in order. */
  life(node: 'worker-1' | 'worker-2' | 'fleet', which: 'killed' | 'ended'): EpochPath
}

interface Life extends AsyncDisposable {
  readonly audits: readonly Audit[]
  readonly fleet: FleetLog
}

async function begin(directory: string): Promise<Life> {
  const config = auditConfig(directory, {
    segmentLimitBytes: SEGMENT_LIMIT_BYTES,
    // Published when told.
    checkpointIntervalMs: 60_000,
    disclosures: { ...auditConfig(directory).disclosures, enabled: false },
  })
  const fleet = await FleetLog.open({ config, version: '0.1.0' })
  const audits: Audit[] = []
  for (const node of ['worker-1', 'worker-2'])
    audits.push(await openAudit({ config, node, version: '0.1.0' }))
  return {
    audits,
    fleet,
    async [Symbol.asyncDispose]() {
      for (const audit of audits) await audit[Symbol.asyncDispose]()
      await fleet[Symbol.asyncDispose]()
    },
  }
}

/** Puts calls on record and publishes; `open` more are left without an outcome. */
async function work({ audits, fleet }: Life, calls: readonly [number, number], open: number): Promise<void> {
  for (const [index, audit] of audits.entries()) {
    for (let count = 0; count < (calls[index] ?? 0) + open; count++) {
      const sealed = syntheticSealed({ access: 'write' })
      await audit.recorder.intend(sealed)
      if (count < (calls[index] ?? 0)) await audit.recorder.conclude(sealed.permit.call, syntheticOutcome())
    }
    await audit.publish()
  }
  await fleet.collect('others')
  await fleet.publish()
}

/** What two workers and the fleet log leave behind that were killed once, started again and then ended in order. */
export async function recordLives(): Promise<RecordedLives> {
  await using stack = new AsyncDisposableStack()
  const [first, earlier, last] = [
    stack.use(await temporaryDirectory()),
    stack.use(await temporaryDirectory()),
    stack.use(await temporaryDirectory()),
  ]
  const directory = join(last.path, 'audit')
  {
    await using life = await begin(first.path)
    await work(life, [20, 5], 1)
    // As its process would leave it that dies here: the files, without the locks.
    await cp(first.path, directory, { recursive: true })
  }
  {
    await using life = await begin(directory)
    await life.fleet.collect('all')
    await work(life, [100, 10], 0)
    await cp(directory, join(earlier.path, 'audit'), { recursive: true })
    await work(life, [60, 10], 1)
  }
  const epochs = await listEpochs(directory)
  const owned = stack.move()
  return {
    directory,
    earlier: join(earlier.path, 'audit'),
    life(node, which) {
      const [killed, ended] = epochs.filter((epoch) => epoch.node === node)
      const found = which === 'killed' ? killed : ended
      if (found === undefined) throw new Error(`no log of ${node}`)
      return found
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
