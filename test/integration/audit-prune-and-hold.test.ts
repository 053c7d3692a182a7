import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { FleetLog } from '../../gateway/audit/fleet-log.ts'
import { type Audit, openAudit } from '../../gateway/audit/open-audit.ts'
import { listEpochs } from '../../gateway/audit/read-entries.ts'
import { verifyAudit } from '../../gateway/audit/verify/verify-audit.ts'
import type { Lock, LockId } from '../../gateway/locks/lock.ts'
import { runAudit, runAuditJson } from '../harness/audit-command.ts'
import { pendingApproval } from '../harness/approval.ts'
import { auditConfig } from '../harness/audit-config.ts'
import { OPERATOR } from '../harness/locking.ts'
import { syntheticOutcome, syntheticSealed } from '../harness/synthetic-call.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'
import { virtualClock } from '../harness/virtual-clock.ts'

const LIVES = ['2019-03-01', '2020-03-01', '2026-11-01'] as const

const LOCK: Lock = {
  id: 'lock-1' as LockId,
  scope: { kind: 'agent', name: 'deploy-agent', issuer: '' },
  writesOnly: false,
  tokensBeforeMs: undefined,
  reason: 'seen to run wild',
  author: OPERATOR,
  setAtMs: Date.parse('2019-03-01'),
  expiresAtMs: undefined,
  release: 'anyone',
  releaseRequests: [],
}

/** A record of three lives of one gateway, years apart, each watched by a fleet log of today. */
async function threeLives(more: (audit: Audit, life: number) => Promise<unknown> = async () => undefined) {
  const folder = await temporaryDirectory()
  const directory = join(folder.path, 'audit')
  const config = auditConfig(directory, {
    disclosures: {
      enabled: true,
      directory: join(folder.path, 'disclosures'),
      keyFile: join(folder.path, 'disclosures.key'),
      retentionDays: 400,
    },
  })
  for (const [index, day] of LIVES.entries()) {
    const clock = virtualClock(Date.parse(day))
    await using audit = await openAudit({ config, node: 'worker-0', version: '1', clock })
    await more(audit, index)
    const sealed = syntheticSealed({ callId: `call-${index}` })
    await audit.recorder.intend(sealed)
    await audit.recorder.conclude(sealed.permit.call, syntheticOutcome())
  }
  {
    await using fleet = await FleetLog.open({ config, version: '1' })
    await fleet.collect('all')
  }
  const file = join(folder.path, 'toolgate.yaml')
  const { checkpointIntervalMs: _checkpoint, idleCheckpointIntervalMs: _idle, ...settings } = config
  await writeFile(
    file,
    JSON.stringify({
      audit: settings,
      identity: {
        issuers: [
          { issuer: 'https://issuer.example', audiences: ['a'], jwks: { uri: 'https://issuer.example/k' } },
        ],
      },
      connectors: { github: { credential: { type: 'none' } } },
    }),
  )
  const problems = async (): Promise<string[]> =>
    (await verifyAudit({ directory })).problems.map(({ code, file: place }) => `${code} ${place}`)
  const lives = async (): Promise<string[]> =>
    (await listEpochs(directory))
      .filter(({ node }) => node === 'worker-0')
      .map(({ epoch }) => epoch.slice(0, 4))
  const daysLeft = async (): Promise<string[]> =>
    (await readdir(join(config.disclosures.directory, 'keys')))
      .filter((name) => name.startsWith('period-'))
      .sort()
  const prune = (...args: string[]) => runAudit(['prune', '--config', file, ...args])
  return {
    directory,
    config,
    problems,
    lives,
    daysLeft,
    prune,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

it('what is older than it has to be kept is removed, on record, and verify tells it from what vanished', async () => {
  await using record = await threeLives()
  expect(await record.problems()).toEqual([])
  expect((await runAuditJson(['query', '--audit', record.directory])).length).toBe(3)

  const dry = await record.prune('--dry-run')
  expect(dry.printed).toMatch(/would go {2}log worker-0\/2019.*, \d+ entries\nwould go {2}log worker-0\/2020/)
  expect(await record.lives()).toEqual(['2019', '2020', '2026'])

  expect(await record.prune()).toMatchObject({ exitCode: 0, complained: '' })
  expect(await record.lives()).toEqual(['2026'])
  expect(await record.daysLeft()).toEqual(['period-2026-11-01.key'])
  expect(await record.problems()).toEqual([])
  expect((await runAuditJson(['query', '--audit', record.directory])).map(({ call }) => call)).toEqual([
    'call-2',
  ])

  // The gateway goes on over it, and verify is still content.
  await using again = await openAudit({ config: record.config, node: 'worker-0', version: '1' })
  await again[Symbol.asyncDispose]()
  expect(await record.problems()).toEqual([])
  await rm(
    join(record.directory, 'worker-0', (await readdir(join(record.directory, 'worker-0')))[0] ?? 'none'),
    {
      recursive: true,
    },
  )
  expect((await record.problems()).map((problem) => problem.split(' ')[0])).toContain('log.missing')
})

it('a log that vanished is not excused by the record of another that was pruned', async () => {
  await using record = await threeLives()
  await record.prune('--logs-before', '2019-12-31')
  expect(await record.lives()).toEqual(['2020', '2026'])
  const [, gone] = (await listEpochs(record.directory)).filter(({ node }) => node === 'worker-0')
  await rm(gone?.directory ?? 'none', { recursive: true })
  expect(await record.problems()).toContain(`log.missing worker-0/${gone?.epoch}`)
})

it('nothing that a hold covers is removed, neither of the log nor of disclosures, until it is released', async () => {
  await using record = await threeLives()
  const hold = (...args: string[]) => runAudit(['hold', ...args, '--audit', record.directory])
  const period = ['--from', '2020-02-28', '--to', '2020-03-02']
  expect((await hold('case-7', ...period, '--reason', 'claim of March')).exitCode).toBe(0)
  expect((await hold('case-7', ...period, '--reason', 'again')).exitCode).toBe(1)
  expect((await hold()).printed).toMatch(/^case-7 +2020-02-28T.* to 2020-03-02T.*: claim of March\n$/)

  const { printed } = await record.prune()
  expect(printed).toMatch(/kept {2}worker-0\/2020.* is held by case-7/)
  expect(await record.lives()).toEqual(['2020', '2026'])
  expect(await record.daysLeft()).toEqual(['period-2020-03-01.key', 'period-2026-11-01.key'])

  expect((await hold('case-7', '--release')).exitCode).toBe(0)
  expect((await hold('case-7', '--release')).exitCode).toBe(1)
  await record.prune()
  expect(await record.lives()).toEqual(['2026'])
  expect(await record.problems()).toEqual([])
})

it('a lock that was in force in the time of a hold is held from when it was set', async () => {
  const set = { state: 'set', lock: LOCK, by: LOCK.author, reason: LOCK.reason, epoch: 1 } as const
  await using record = await threeLives(async ({ changes }, life) => {
    if (life === 0) await changes.lockChanged(set)
  })
  const hold = ['hold', 'case-7', '--from', '2020-02-28', '--to', '2020-03-02', '--reason', 'claim of March']
  expect((await runAudit([...hold, '--audit', record.directory])).exitCode).toBe(0)
  expect((await record.prune()).printed).toMatch(/kept {2}worker-0\/2019.* is held by case-7/)
  expect(await record.lives()).toEqual(['2019', '2020', '2026'])
})

it('an approval that was used in the time of a hold is held from when people were asked', async () => {
  const approval = { ...pendingApproval(), state: 'consumed' } as const
  const plain = { commitmentTo: (value: string) => value }
  await using record = await threeLives(async ({ changes }, life) => {
    if (life === 0)
      changes.approvalChanged({ kind: 'requested', atMs: 0, approval: pendingApproval() }, plain)
    if (life === 1) changes.approvalChanged({ kind: 'consumed', atMs: 0, approval }, plain)
  })
  const hold = ['hold', 'case-7', '--from', '2020-02-28', '--to', '2020-03-02', '--reason', 'claim of March']
  expect((await runAudit([...hold, '--audit', record.directory])).exitCode).toBe(0)
  expect((await record.prune()).printed).toMatch(/kept {2}worker-0\/2019.* is held by case-7/)
  expect(await record.lives()).toEqual(['2019', '2020', '2026'])
  expect(await record.daysLeft()).toEqual([
    'period-2019-03-01.key',
    'period-2020-03-01.key',
    'period-2026-11-01.key',
  ])
})

it('a file of holds that cannot be read lets nothing be pruned', async () => {
  await using record = await threeLives()
  await writeFile(join(record.directory, 'holds.json'), '{"name":"case-7"}')
  expect(await record.prune()).toMatchObject({
    exitCode: 1,
    complained: expect.stringContaining('is not a list of holds') as string,
  })
  expect(await record.lives()).toEqual(['2019', '2020', '2026'])
})

it('a log of a living gateway stays, however old its last entry is', async () => {
  await using record = await threeLives()
  await using living = await openAudit({
    config: record.config,
    node: 'worker-1',
    version: '1',
    clock: virtualClock(0),
  })
  const { printed } = await record.prune()
  expect(printed).toMatch(/kept {2}worker-1\/1970.* has not ended/)
  expect(living.recorder.trouble()).toBe('')
  expect(await record.lives()).toEqual(['2019', '2020', '2026'])
})
