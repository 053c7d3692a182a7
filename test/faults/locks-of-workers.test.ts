import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { decodeEntry } from '../../gateway/audit/entry.ts'
import { listEpochs, readEpoch } from '../../gateway/audit/read-entries.ts'
import { type Neighbours, startNeighbours } from '../harness/neighbours.ts'
import { createProofKey, signProof } from '../harness/proof.ts'
import { type Ran, toolgateHere } from '../harness/run-here.ts'
import { type StartConfig, writeStartConfig } from '../harness/start-config.ts'
import { runToolgate, type ToolgateProcess, untilReady } from '../harness/toolgate-process.ts'
import { until } from '../harness/until.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'
/** Connections go to the workers in turn, so that one after the other reaches both. */
const WORKERS = 2

let neighbours: Neighbours
let config: StartConfig
beforeAll(async () => {
  neighbours = await startNeighbours()
  const { folder, redis } = neighbours
  // What calls count is in Redis, which is emptied below; what people decide is in the file, which is not.
  const store = {
    kind: 'redis',
    controlKind: 'embedded',
    controlFile: join(folder.path, 'control.db'),
    redis: { url: redis.url },
  }
  config = await writeStartConfig(folder.path, neighbours, { workers: WORKERS, store })
})
afterAll(() => neighbours[Symbol.asyncDispose]())

async function start(): Promise<ToolgateProcess> {
  const toolgate = runToolgate(['start', '--config', config.file], neighbours.fakes.environment)
  await untilReady(toolgate, config.adminPort)
  return toolgate
}

const lock = (...args: string[]): Promise<Ran> =>
  toolgateHere(['lock', ...args], {
    environment: { TOOLGATE_ADMIN: `http://127.0.0.1:${config.adminPort}` },
  })

interface Called {
  readonly id: string
  readonly status: number
}

const key = createProofKey()
async function call(): Promise<Called> {
  const url = `http://127.0.0.1:${config.port}${PULL}`
  const claims = {
    client_id: 'change-review-agent',
    sub: 'dana@zyx.example',
    tenant: 'zyx-bank',
    groups: ['devsecops-change-review'],
    device_compliant: true,
  }
  const token = neighbours.issuer.token({ jkt: key.jkt, claims })
  const dpop = signProof({ key, method: 'GET', url, token })
  const headers = { authorization: `DPoP ${token}`, dpop, connection: 'close' }
  const { status, headers: answered } = await fetch(url, { headers })
  return { id: answered.get('toolgate-call-id') ?? '', status }
}

/** One call to each worker. */
async function callAll(): Promise<readonly Called[]> {
  const calls: Called[] = []
  for (let count = 0; count < WORKERS; count += 1) calls.push(await call())
  return calls
}

const areAll = (calls: readonly Called[], wanted: number): boolean =>
  calls.every(({ status }) => status === wanted)

/** Every call of the record by the worker that has its outcome. */
async function workersOf(): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for (const epoch of await listEpochs(config.auditDirectory))
    for await (const { bytes } of readEpoch(epoch)) {
      const entry = decodeEntry(bytes)
      if (entry?.type === 'outcome') found.set(entry.call, epoch.node)
    }
  return found
}

it('a lock holds at every worker within a second, also after all of them were killed, until it is released', async () => {
  const seen: (readonly Called[])[] = []
  const becomes = async (status: number): Promise<number> => {
    const startedMs = performance.now()
    await until(async () => areAll(await callAll(), status))
    const elapsedMs = performance.now() - startedMs
    // Once it holds it holds: the workers do not answer differently in turn.
    for (let round = 0; round < 3; round += 1) seen.push(await callAll())
    expect(seen.slice(-3).every((calls) => areAll(calls, status))).toBe(true)
    return elapsedMs
  }
  let toolgate = await start()
  await using stack = new AsyncDisposableStack()
  stack.defer(() => toolgate[Symbol.asyncDispose]())
  await becomes(200)

  const set = await lock('set', 'agent:change-review-agent', '--reason', 'seen to run wild')
  expect(set).toMatchObject({ exitCode: 0, complained: '' })
  expect(await becomes(403)).toBeLessThan(1_000)

  toolgate.signal('SIGKILL')
  await toolgate.ended
  await neighbours.redis.admin.flushall()
  toolgate = await start()
  // Ready is ready: no call gets through while the locks are being read.
  expect(areAll(await callAll(), 403)).toBe(true)
  await becomes(403)

  const [, id = ''] = set.printed.trim().split('\n')
  expect((await lock('list')).printed).toContain(id)
  expect(await lock('release', id)).toMatchObject({ exitCode: 0 })
  expect(await becomes(200)).toBeLessThan(1_000)

  toolgate.signal('SIGTERM')
  expect(await toolgate.ended).toBe(0)
  const workers = await workersOf()
  for (const calls of seen) expect(new Set(calls.map((each) => workers.get(each.id))).size).toBe(WORKERS)
})
