import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { decodeEntry } from '../../gateway/audit/entry.ts'
import { openAudit, type Audit } from '../../gateway/audit/open-audit.ts'
import { readEntries } from '../../gateway/audit/read-entries.ts'
import { verifyAudit } from '../../gateway/audit/verify/verify-audit.ts'
import { auditConfig } from '../harness/audit-config.ts'
import { failingDisk, type DiskStep, type FailingDisk } from '../harness/failing-disk.ts'
import { syntheticOutcome, syntheticSealed } from '../harness/synthetic-call.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

/** Some eighty lives, each with its recovery. */
const LONGEST_MS = 300_000

/** Small segments, so that one life has several; published when told. */
function open(directory: string, disk?: FailingDisk): Promise<Audit> {
  const config = auditConfig(directory, {
    segmentLimitBytes: 12_000,
    checkpointIntervalMs: 60_000,
    disclosures: { ...auditConfig(directory).disclosures, enabled: false },
  })
  return openAudit({ config, node: 'worker-1', version: '0.1.0', ...(disk && { disk }) })
}

/** One life of a log that sees every step: begin, append, rotate, publish partial and full tiles, seal. */
async function live(directory: string, disk: FailingDisk, acknowledged: string[]): Promise<void> {
  await using audit = await open(directory, disk)
  for (const calls of [3, 15, 130]) {
    await Promise.all(
      Array.from({ length: calls }, async (_, index) => {
        const sealed = syntheticSealed({ access: 'write' })
        const verdict = await audit.recorder.intend(sealed)
        if (!verdict.ok) return
        acknowledged.push(sealed.permit.call.arrival.callId)
        if (index === 0) return
        await audit.recorder.conclude(sealed.permit.call, syntheticOutcome()).catch(() => undefined)
      }),
    )
    await audit.publish()
  }
}

/** The next start recovers; then everything acknowledged is on record, and all of it is as signed. */
async function expectRecovery(
  directory: string,
  acknowledged: readonly string[],
  what: string,
): Promise<void> {
  await (await open(directory))[Symbol.asyncDispose]()
  const { problems, inDoubt } = await verifyAudit({ directory, complete: true })
  const intended = new Set<string>()
  for await (const { bytes } of readEntries(directory)) {
    const entry = decodeEntry(bytes)
    if (entry?.type === 'decision') intended.add(entry.call)
  }
  const lost = acknowledged.filter((call) => !intended.has(call))
  expect({ what, problems, inDoubt, lost }).toEqual({ what, problems: [], inDoubt: [], lost: [] })
}

const nameOf = ({ operation, path }: DiskStep): string =>
  `${operation} ${path.split('/').slice(-3).join('/')}`

/** Every step of an undisturbed life, in order. */
async function stepsOf(): Promise<string[]> {
  await using directory = await temporaryDirectory()
  const disk = failingDisk()
  const steps: string[] = []
  disk.beforeEach((step) => void steps.push(nameOf(step)))
  await live(directory.path, disk, [])
  return steps
}

it(
  'a process that dies before any one step loses nothing that it acknowledged',
  { timeout: LONGEST_MS },
  async () => {
    await using life = await temporaryDirectory()
    await using deaths = await temporaryDirectory()
    const disk = failingDisk()
    const acknowledged: string[] = []
    const snapshots: { directory: string; acknowledged: string[]; step: string }[] = []
    disk.beforeEach((step) => {
      const directory = join(deaths.path, String(snapshots.length))
      mkdirSync(directory)
      // The files as they are at this moment are what a killed process leaves.
      cpSync(life.path, directory, { recursive: true })
      snapshots.push({ directory, acknowledged: [...acknowledged], step: nameOf(step) })
    })
    await live(life.path, disk, acknowledged)
    expect(acknowledged).toHaveLength(148)
    expect(snapshots.length).toBeGreaterThan(60)
    for (const snapshot of snapshots) {
      await expectRecovery(snapshot.directory, snapshot.acknowledged, snapshot.step)
    }
  },
)

it.each(['EIO', 'ENOSPC'])(
  'a step that fails with %s, whichever, loses nothing that was acknowledged',
  { timeout: LONGEST_MS },
  async (code) => {
    const steps = await stepsOf()
    expect(steps.length).toBeGreaterThan(60)
    for (const [failing, name] of steps.entries()) {
      await using directory = await temporaryDirectory()
      const disk = failingDisk()
      let step = 0
      disk.beforeEach(({ operation }) => {
        if (step++ === failing) throw Object.assign(new Error(`${code}, ${operation}`), { code })
      })
      const acknowledged: string[] = []
      await live(directory.path, disk, acknowledged).catch(() => undefined)
      await expectRecovery(directory.path, acknowledged, `${code} at ${name}`)
    }
  },
)
