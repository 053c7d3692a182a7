import type { Worker } from 'node:cluster'
import { once } from 'node:events'
import type { Readiness } from '../admin/admin.ts'
import { mergeMetrics } from '../telemetry/merge.ts'
import { isFromWorker, type ToWorker, type WorkerReport } from './messages.ts'

const REPORT_TIMEOUT_MS = 2_000

/** The workers that are alive, seen as one gateway. */
export interface Fleet {
  stopping: boolean
  add(worker: Worker): void
  /** Whether the worker came up; false when it ended first. */
  started(worker: Worker): Promise<boolean>
  tell(message: ToWorker): void
  /** Resolves when no worker is left; when the signal aborts, those left are killed. */
  allGone(hurry: AbortSignal): Promise<void>
  /** Ready while one worker is; otherwise every worker's reasons. */
  readiness(): Promise<Readiness>
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>
  status(): Promise<unknown>
  config(): Promise<unknown>
}

export function createFleet(complain: (text: string) => void): Fleet {
  const alive = new Set<Worker>()
  const waiting = new Map<number, (report: WorkerReport) => void>()
  let requests = 0

  const ask = async (worker: Worker, want: 'state' | 'metrics'): Promise<WorkerReport | undefined> => {
    const request = ++requests
    const reply = Promise.withResolvers<WorkerReport | undefined>()
    const timer = setTimeout(() => reply.resolve(undefined), REPORT_TIMEOUT_MS)
    waiting.set(request, reply.resolve)
    worker.send({ kind: 'report', request, want } satisfies ToWorker, (error) => {
      if (error !== null) reply.resolve(undefined)
    })
    const report = await reply.promise
    clearTimeout(timer)
    waiting.delete(request)
    return report
  }
  const askAll = async (want: 'state' | 'metrics'): Promise<[number, WorkerReport][]> => {
    const workers = [...alive]
    const reports = await Promise.all(workers.map((worker) => ask(worker, want)))
    return reports.flatMap((report, index): [number, WorkerReport][] =>
      report === undefined ? [] : [[workers[index]?.id ?? 0, report]],
    )
  }

  return {
    stopping: false,
    add(worker) {
      alive.add(worker)
      worker.on('message', (message: unknown) => {
        if (isFromWorker(message) && message.kind === 'report') waiting.get(message.request)?.(message.report)
      })
      worker.on('exit', () => alive.delete(worker))
      worker.on('error', (error) => complain(`toolgate: worker ${worker.id}: ${error.message}\n`))
    },
    async started(worker) {
      const up = new Promise<boolean>((resolve) => {
        worker.on('message', (message: unknown) => {
          if (isFromWorker(message) && message.kind === 'started') resolve(true)
        })
        worker.once('exit', () => resolve(false))
      })
      return up
    },
    tell(message) {
      for (const worker of alive) if (worker.isConnected()) worker.send(message)
    },
    async allGone(hurry) {
      const kill = (): void => {
        for (const worker of alive) worker.process.kill('SIGKILL')
      }
      if (hurry.aborted) kill()
      hurry.addEventListener('abort', kill, { once: true })
      await Promise.all([...alive].map((worker) => once(worker, 'exit')))
    },
    async readiness() {
      const reports = await askAll('state')
      if (reports.length === 0) return { workers: 'none is up' }
      if (reports.some(([, { readiness }]) => Object.keys(readiness).length === 0)) return {}
      return Object.assign({}, ...reports.map(([, { readiness }]) => readiness)) as Readiness
    },
    async metrics() {
      const reports = await askAll('metrics')
      return mergeMetrics(reports.map(([, { metrics }]) => metrics))
    },
    async status() {
      return { workers: Object.fromEntries((await askAll('state')).map(([id, { status }]) => [id, status])) }
    },
    async config() {
      return (await askAll('state'))[0]?.[1].config
    },
  }
}
