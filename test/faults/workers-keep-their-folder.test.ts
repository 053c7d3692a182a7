import { readdir } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { startNeighbours } from '../harness/neighbours.ts'
import { writeStartConfig } from '../harness/start-config.ts'
import { runToolgate, untilReady } from '../harness/toolgate-process.ts'

/** How long a worker may take to start on a busy machine. */
const START_MS = 20_000

it(
  'a worker that dies again and again is replaced in its own folder of the record',
  async () => {
    await using neighbours = await startNeighbours()
    const { folder, fakes, redis } = neighbours
    const config = await writeStartConfig(folder.path, neighbours, {
      workers: 2,
      store: { kind: 'redis', redis: { url: redis.url } },
    })
    await using toolgate = runToolgate(['start', '--config', config.file], fakes.environment)
    await untilReady(toolgate, config.adminPort)
    const workers = async (): Promise<[id: number, pid: number][]> => {
      const reply = await fetch(`http://127.0.0.1:${config.adminPort}/admin/v1/status`)
      const status = (await reply.json()) as { workers: Record<string, { process: { pid: number } }> }
      return Object.entries(status.workers).map(
        ([
          id,
          {
            process: { pid },
          },
        ]) => [Number(id), pid],
      )
    }
    for (const dead of [1, 3]) {
      await expect.poll(async () => (await workers()).length, { timeout: START_MS }).toBe(2)
      const [, pid] = (await workers()).find(([id]) => id === dead) ?? []
      if (pid === undefined) throw new Error(`no worker ${dead}`)
      process.kill(pid, 'SIGKILL')
      await expect
        .poll(async () => (await workers()).some(([, one]) => one === pid), { timeout: START_MS })
        .toBe(false)
    }
    await expect.poll(async () => (await workers()).length, { timeout: START_MS }).toBe(2)
    expect(await readdir(config.auditDirectory)).toEqual(expect.arrayContaining(['worker-1', 'worker-2']))
    expect((await readdir(config.auditDirectory)).filter((name) => name.startsWith('worker-'))).toHaveLength(
      2,
    )
    toolgate.signal('SIGTERM')
    expect(await toolgate.ended).toBe(0)
  },
  4 * START_MS,
)

it(
  'workers end when their primary is killed, even while they start',
  async () => {
    await using neighbours = await startNeighbours()
    const { folder, fakes, redis } = neighbours
    const config = await writeStartConfig(folder.path, neighbours, {
      workers: 2,
      store: { kind: 'redis', redis: { url: redis.url } },
    })
    await using toolgate = runToolgate(['start', '--config', config.file], fakes.environment)
    await expect.poll(() => toolgate.output(), { timeout: START_MS }).toContain('store.state')
    toolgate.signal('SIGKILL')
    // Both write to the output of the primary, which closes with the last of them.
    expect(await toolgate.ended).toBe('SIGKILL')
  },
  2 * START_MS,
)
