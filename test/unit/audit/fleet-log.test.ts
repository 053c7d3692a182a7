import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decodeEntry } from '../../../gateway/audit/entry.ts'
import { FleetLog, type FleetAlarm } from '../../../gateway/audit/fleet-log.ts'
import { openAudit, type Audit } from '../../../gateway/audit/open-audit.ts'
import { listEpochs, readEntries } from '../../../gateway/audit/read-entries.ts'
import { parseCheckpoint } from '../../../gateway/audit/tlog/checkpoint.ts'
import { verifyAudit } from '../../../gateway/audit/verify/verify-audit.ts'
import { auditConfig } from '../../harness/audit-config.ts'
import { syntheticSealed } from '../../harness/synthetic-call.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'

interface Fleet extends AsyncDisposable {
  readonly directory: string
  readonly fleetLog: FleetLog
  readonly audit: Audit
  readonly alarms: string[]
  /** One more entry on record, published. */
  grow(): Promise<void>
}

async function startFleet(): Promise<Fleet> {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await temporaryDirectory())
  const config = auditConfig(path, { checkpointIntervalMs: 60_000 })
  const alarms: string[] = []
  const onAlarm = (alarm: FleetAlarm, { node }: { node: string }): void =>
    void alarms.push(`${alarm} ${node}`)
  const fleetLog = stack.use(await FleetLog.open({ config, version: '0.1.0', onAlarm }))
  const audit = stack.use(await openAudit({ config, node: 'worker-1', version: '0.1.0' }))
  const owned = stack.move()
  return {
    directory: path,
    fleetLog,
    audit,
    alarms,
    async grow() {
      await audit.recorder.intend(syntheticSealed({ access: 'write' }))
      await audit.publish()
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Origin and size of each checkpoint that fleet logs hold, in order. */
async function taken(directory: string): Promise<string[]> {
  const found: string[] = []
  for await (const { bytes } of readEntries(directory)) {
    const entry = decodeEntry(bytes)
    const checkpoint = entry?.type === 'checkpoint' ? parseCheckpoint(entry.note) : undefined
    if (checkpoint) found.push(`${checkpoint.origin.split('/')[1] ?? ''} ${String(checkpoint.size)}`)
  }
  return found
}

async function epochOf(directory: string, node: string): Promise<string> {
  const path = (await listEpochs(directory)).find((epoch) => epoch.node === node)
  if (path === undefined) throw new Error(`no log of ${node}`)
  return path.directory
}

describe('the fleet log', () => {
  it('holds every checkpoint that the other logs publish, once', async () => {
    await using fleet = await startFleet()
    await fleet.fleetLog.watch()
    await fleet.grow()
    await fleet.fleetLog.collect('others')
    await fleet.fleetLog.collect('others')
    await fleet.grow()
    await fleet.fleetLog.collect('others')
    expect(await taken(fleet.directory)).toEqual(['worker-1 2', 'worker-1 3'])
    expect(fleet.alarms).toEqual([])
    expect(fleet.fleetLog.logs).toBe(1)
  })

  it('holds the last checkpoint of each log that was sealed before it', async () => {
    await using fleet = await startFleet()
    await fleet.audit[Symbol.asyncDispose]()
    await fleet.fleetLog[Symbol.asyncDispose]()
    expect(await taken(fleet.directory)).toEqual(['worker-1 2'])
    expect(await verifyAudit({ directory: fleet.directory, complete: true })).toMatchObject({
      problems: [],
      logs: [
        { node: 'fleet', entries: 3, signed: 3, sealed: true },
        { node: 'worker-1', entries: 2, signed: 2, sealed: true },
      ],
    })
  })

  it('begins with the logs that are there, those of earlier fleets too', async () => {
    await using fleet = await startFleet()
    await fleet.grow()
    await fleet.audit[Symbol.asyncDispose]()
    await fleet.fleetLog[Symbol.asyncDispose]()
    const config = auditConfig(fleet.directory)
    await using next = await FleetLog.open({ config, version: '0.1.0' })
    await next.watch()
    expect((await taken(fleet.directory)).slice(-2)).toEqual(['fleet 3', 'worker-1 3'])
  })

  it('tells once of a log that is gone', async () => {
    await using fleet = await startFleet()
    await fleet.grow()
    await fleet.fleetLog.watch()
    const worker = await epochOf(fleet.directory, 'worker-1')
    await cp(worker, `${worker}.aside`, { recursive: true })
    await rm(join(fleet.directory, 'worker-1'), { recursive: true })
    await fleet.fleetLog.collect('others')
    await fleet.fleetLog.collect('others')
    expect(fleet.alarms).toEqual(['missing worker-1'])
  })

  it('tells of a log that was put back to what it was', async () => {
    await using fleet = await startFleet()
    await fleet.grow()
    await fleet.fleetLog.watch()
    const file = join(await epochOf(fleet.directory, 'worker-1'), 'checkpoint')
    const before = await readFile(file)
    await fleet.grow()
    await fleet.fleetLog.collect('others')
    await writeFile(file, before)
    await fleet.fleetLog.collect('others')
    expect(fleet.alarms).toEqual(['rolled_back worker-1'])
    expect(await taken(fleet.directory)).toEqual(['worker-1 2', 'worker-1 3', 'worker-1 2'])
  })

  it('tells of a checkpoint that no key of ours signed, and does not hold it', async () => {
    await using fleet = await startFleet()
    await fleet.grow()
    const file = join(await epochOf(fleet.directory, 'worker-1'), 'checkpoint')
    await writeFile(file, (await readFile(file, 'utf8')).replace('\n2\n', '\n9\n'))
    await fleet.fleetLog.watch()
    expect(fleet.alarms).toEqual(['unsigned worker-1'])
    expect(await taken(fleet.directory)).toEqual([])
  })
})
