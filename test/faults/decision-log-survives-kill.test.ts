import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect, it, vi } from 'vitest'
import { readFrames } from '../../gateway/policy/decision-log/spill-frame.ts'
import { idsOf } from '../harness/decision-log.ts'
import { startNeighbours } from '../harness/neighbours.ts'
import { type OpaCollector, startOpaCollector } from '../harness/opa-collector.ts'
import { createProofKey, signProof } from '../harness/proof.ts'
import { writeStartConfig } from '../harness/start-config.ts'
import { runProcess, type ToolgateProcess, untilReady } from '../harness/toolgate-process.ts'

const MAIN = resolve(import.meta.dirname, '../../gateway/main.ts')
const CALLS = 24
const patient = { timeout: 20_000, interval: 25 }

type Json = Readonly<Record<string, unknown>>

const instancesIn = (messages: readonly Json[]): ReadonlySet<unknown> =>
  new Set(messages.map(({ labels }) => (labels as Json)['id']))

/** Whole events in all the files below. */
async function eventsOnDisk(directory: string): Promise<number> {
  const names = await readdir(directory, { recursive: true }).catch(() => [])
  const files = await Promise.all(
    names.filter((name) => name.endsWith('.log')).map((name) => readFile(join(directory, name))),
  )
  return files.reduce((sum, file) => sum + readFrames(file, 0).length, 0)
}

it('decisions of two workers that are killed are uploaded after the next start, each by the worker that made it', async () => {
  await using neighbours = await startNeighbours()
  const { folder, issuer, fakes, redis } = neighbours
  await using collector = await startOpaCollector()
  const directory = join(folder.path, 'decisions')
  const service = { url: collector.url }
  const decisionLog = { service, minDelayMs: 100, maxDelayMs: 200, buffer: { directory } }
  const config = await writeStartConfig(folder.path, neighbours, {
    workers: 2,
    store: { kind: 'redis', redis: { url: redis.url } },
    policy: { decisionLog, status: { service } },
  })
  const start = async (): Promise<ToolgateProcess> => {
    const command = [process.execPath, MAIN, 'start', '--config', config.file]
    const toolgate = runProcess(command, { environment: fakes.environment, isGroup: true })
    await untilReady(toolgate, config.adminPort)
    return toolgate
  }
  const key = createProofKey()
  const token = issuer.token({ jkt: key.jkt })
  const origin = `http://127.0.0.1:${config.port}`
  const target = '/github/repos/zyx/platform-infra/pulls/991'
  const call = async (): Promise<string | null> => {
    const dpop = signProof({ key, method: 'GET', url: origin + target, token })
    const headers = { authorization: `DPoP ${token}`, dpop, connection: 'close', 'user-agent': 'test' }
    return (await fetch(origin + target, { headers })).headers.get('toolgate-call-id')
  }

  const ids: (string | null)[] = []
  {
    await using killed = await start()
    answerLogsWith500(collector)
    while (ids.length < CALLS) ids.push(await call())
    await vi.waitFor(async () => expect(await eventsOnDisk(directory)).toBe(CALLS), patient)
    killed.signal('SIGKILL')
    await killed.ended
  }
  expect(collector.events).toEqual([])

  collector.answerWith(undefined)
  await using toolgate = await start()
  await collector.until(() => collector.events.length >= CALLS)
  expect(collector.events).toHaveLength(CALLS)
  expect(new Set(idsOf(collector))).toEqual(new Set(ids))
  expect(instancesIn(collector.events).size).toBe(2)
  await collector.until(() => instancesIn(collector.reports).size >= 2)
  expect(collector.problems).toEqual([])
  toolgate.signal('SIGTERM')
  expect(await toolgate.ended).toBe(0)
  expect(await eventsOnDisk(directory)).toBe(0)
}, 60_000)

function answerLogsWith500(collector: OpaCollector): void {
  collector.answerWith((_, response) => void response.writeHead(500).end())
}
