import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rename, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, afterAll, describe, expect, it } from 'vitest'
import { openAudit } from '../../gateway/audit/open-audit.ts'
import { planPrune } from '../../gateway/audit/prune/prune-logs.ts'
import { verifyAudit } from '../../gateway/audit/verify/verify-audit.ts'
import type { AuditConfig } from '../../gateway/config/audit-config.ts'
import type { ExportConfig } from '../../gateway/config/export-config.ts'
import { auditConfig } from '../harness/audit-config.ts'
import { idsIn, startExportCollector, type ExportRequest } from '../harness/export-collector.ts'
import { recordLives, type RecordedLives } from '../harness/recorded-lives.ts'
import { byLog, fileExport, recordedIds, runExports, webhookExport } from '../harness/run-exports.ts'
import { syntheticOutcome, syntheticSealed } from '../harness/synthetic-call.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'
import { until } from '../harness/until.ts'

const RUNNER = fileURLToPath(new URL('../harness/export-runner.ts', import.meta.url))

/** An audit directory that a process writes to, and one export of it. */
async function liveRecord(one: ExportConfig) {
  const folder = await temporaryDirectory()
  const config = auditConfig(join(folder.path, 'audit'), {
    checkpointIntervalMs: 50,
    exports: { siem: one },
    disclosures: { ...auditConfig(folder.path).disclosures, enabled: false },
  })
  const audit = await openAudit({ config, node: 'worker-0', version: '1' })
  return {
    folder: folder.path,
    config,
    audit,
    async call(callId: string) {
      const sealed = syntheticSealed({ callId })
      await audit.recorder.intend(sealed)
      await audit.recorder.conclude(sealed.permit.call, syntheticOutcome())
    },
    async [Symbol.asyncDispose]() {
      await audit[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

async function allTaken(config: AuditConfig, taken: () => readonly string[]): Promise<void> {
  const count = [...(await recordedIds(config)).values()].flat().length
  await until(() => new Set(taken()).size >= count)
}

describe('a record of several processes, lives and segments', () => {
  let lives: RecordedLives
  let config: AuditConfig
  beforeAll(async () => {
    lives = await recordLives()
    config = auditConfig(lives.directory)
  })
  afterAll(() => lives[Symbol.asyncDispose]())

  it('reaches a collector that fails, hangs and redirects in between whole, each log in its order', async () => {
    const answers: (number | 'hang')[] = [500, 200, 'hang', 200, 302, 200, 503, 503]
    await using collector = await startExportCollector((_, number) => answers[number - 1] ?? 200)
    const exports = { siem: webhookExport(collector.url, { batchEntries: 7 }, { timeoutMs: 100 }) }
    await using running = runExports({ ...config, exports })
    await allTaken(config, () => collector.taken)
    expect(byLog(collector.taken)).toEqual(await recordedIds(config))
    expect((await verifyAudit({ directory: config.directory })).problems).toEqual([])
    expect(collector.requests.every(({ path }) => path === '/audit')).toBe(true)
    await until(() => running.told.at(-1) === '+siem')
    expect(await running.metrics()).toMatch(/failures_total\{export="siem",reason="target"\} [1-9]/)
  })

  it('is sent again from where a process was killed that had not noted what was taken', async () => {
    let child: ReturnType<typeof spawn> | undefined
    // It has the batch by then, and nobody will hear of it.
    await using collector = await startExportCollector((_, number) => {
      if (number !== 3) return 200
      child?.kill('SIGKILL')
      return 'hang'
    })
    const exports = { killed: webhookExport(collector.url, { batchEntries: 20 }) }
    child = spawn(process.execPath, [RUNNER, JSON.stringify({ ...config, exports })], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    await once(child, 'exit')
    expect(child.signalCode).toBe('SIGKILL')
    const before = idsIn(collector.requests[2]?.body ?? '')
    await using _running = runExports({ ...config, exports })
    await allTaken(config, () => collector.taken)
    expect(collector.requests.slice(3).map(({ body }) => idsIn(body))).toContainEqual(before)
    expect(collector.taken.length).toBe(new Set(collector.taken).size)
    expect(byLog(collector.taken)).toEqual(await recordedIds(config))
  })

  it('is not sent a second time by the next process', async () => {
    const file = join(lives.directory, '..', 'once.jsonl')
    const exports = { once: fileExport(file) }
    // Read while it is written: the last line counts once it is whole.
    const lines = async (): Promise<string[]> => {
      const text = await readFile(file, 'utf8').catch(() => '')
      return idsIn(text.slice(0, text.lastIndexOf('\n') + 1))
    }
    {
      await using _running = runExports({ ...config, exports })
      const count = [...(await recordedIds(config)).values()].flat().length
      await until(async () => (await lines()).length === count)
      // Noted after it was written.
      await until(() => _running.states()[0]?.lagEntries === 0)
    }
    const before = await lines()
    await using collector = await startExportCollector()
    await using running = runExports({
      ...config,
      exports: { ...exports, other: webhookExport(collector.url) },
    })
    await allTaken(config, () => collector.taken)
    await until(() => running.states().every(({ lagEntries }) => lagEntries === 0))
    expect(await lines()).toEqual(before)
  })

  it('is exported by one of the processes that share it', async () => {
    await using collector = await startExportCollector()
    const exports = { shared: webhookExport(collector.url) }
    await using one = runExports({ ...config, exports })
    await using other = runExports({ ...config, exports })
    await allTaken(config, () => collector.taken)
    expect([one.states().length, other.states().length]).toEqual([1, 0])
    expect(collector.taken.length).toBe(new Set(collector.taken).size)
  })

  it('comes in smaller batches where the collector finds them too large', async () => {
    await using collector = await startExportCollector(({ body }) => (idsIn(body).length > 30 ? 413 : 200))
    await using running = runExports({ ...config, exports: { small: webhookExport(collector.url) } })
    await allTaken(config, () => collector.taken)
    expect(byLog(collector.taken)).toEqual(await recordedIds(config))
    expect(running.told).toEqual([])
  })
})

it('a collector that is down keeps no call waiting, is behind by as much as metrics say, and gets everything', async () => {
  let up = false
  await using collector = await startExportCollector(() => (up ? 200 : 500))
  await using live = await liveRecord(webhookExport(collector.url))
  await using running = runExports(live.config)
  for (let count = 0; count < 20; count++) await live.call(`call-${count}`)
  await until(() => (running.states()[0]?.lagEntries ?? 0) >= 40)
  expect(running.states()[0]?.lagSeconds).toBeGreaterThan(0)
  up = true
  await allTaken(live.config, () => collector.taken)
  await until(() => running.states()[0]?.lagEntries === 0 && running.states()[0]?.lagSeconds === 0)
  expect(running.told).toEqual(['siem', '+siem'])
  expect(byLog(collector.taken)).toEqual(await recordedIds(live.config))
})

it('entries are followed as they come, as they stand in the log', async () => {
  await using collector = await startExportCollector()
  await using live = await liveRecord(webhookExport(collector.url))
  await using _running = runExports(live.config)
  await allTaken(live.config, () => collector.taken)
  await live.call('later')
  await allTaken(live.config, () => collector.taken)
  const line = collector.requests.map(({ body }) => body.toString()).join('')
  expect(line).toMatch(/^\{"entry":\{.*"call":"later".*\},"id":"gateway\.example\/worker-0\/.*:\d+"\}$/m)
})

it('a request says when it was signed, and changes with what is in it', async () => {
  await using collector = await startExportCollector()
  await using live = await liveRecord(
    webhookExport(collector.url, {}, { signingSecret: { source: 'env', name: 'SIGNING' } }),
  )
  await using _running = runExports(live.config, { SIGNING: 'a secret' })
  await allTaken(live.config, () => collector.taken)
  const { headers } = collector.requests[0] as ExportRequest
  expect(headers['webhook-signature']).toMatch(/^v1,[A-Za-z0-9+/]{43}=$/)
  expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1_000)).toBeLessThan(60)
  expect(headers['webhook-id']).toBe(
    `${collector.taken[0]}+${idsIn(collector.requests[0]?.body ?? '').length}`,
  )
})

it('a file may be moved away while it is added to, and a line that was cut off is taken back', async () => {
  await using live = await liveRecord(fileExport(''))
  const file = join(live.folder, 'record.jsonl')
  await writeFile(file, '{"id":"whole"}\n{"id":"cut o')
  await using running = runExports({ ...live.config, exports: { siem: fileExport(file) } })
  await live.call('first')
  await until(() => running.states()[0]?.lagEntries === 0 && running.states().length === 1)
  await until(async () => (await readFile(file, 'utf8')).includes('"outcome"'))
  await rename(file, `${file}.1`)
  await live.call('second')
  await until(async () => (await readFile(file, 'utf8').catch(() => '')).includes('"outcome"'))
  const [whole, ...ids] = [...idsIn(await readFile(`${file}.1`)), ...idsIn(await readFile(file))]
  expect(whole).toBe('whole')
  expect(byLog(ids)).toEqual(await recordedIds(live.config))
})

it('a log that an export has not had all of is not pruned', async () => {
  await using lives = await recordLives()
  await using collector = await startExportCollector()
  const config = auditConfig(lives.directory, { exports: { siem: webhookExport(collector.url) } })
  const plan = () => planPrune({ config, version: '1', beforeMs: Date.now(), holds: [] })
  expect(await plan()).toMatchObject({
    logs: [],
    keptBy: expect.stringMatching(/not all been exported to siem$/),
  })
  {
    await using running = runExports(config)
    await allTaken(config, () => collector.taken)
    await until(() => running.states()[0]?.lagEntries === 0)
    await until(async () => (await plan()).logs.length > 0)
  }
  expect((await plan()).keptBy).not.toContain('exported')
})

it('a log that has changed is named, and the others go on', async () => {
  await using lives = await recordLives()
  const segment = join(lives.life('worker-1', 'killed').directory, 'segment-000001.wal')
  await truncate(segment, (await readFile(segment)).length - 3)
  await using collector = await startExportCollector()
  const config = auditConfig(lives.directory, { exports: { siem: webhookExport(collector.url) } })
  await using running = runExports(config)
  const others = lives.life('worker-2', 'ended')
  await until(() => collector.taken.some((id) => id.includes(others.epoch)))
  await until(() => running.told.includes('siem'))
  expect(await running.metrics()).toContain('failures_total{export="siem",reason="record"} 1')
})
