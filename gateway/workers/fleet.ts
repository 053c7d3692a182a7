import type { Worker } from 'node:cluster'
import { once } from 'node:events'
import type { Readiness } from '../admin/admin.ts'
import type { PeopleConfig } from '../config/admin-config.ts'
import { mergeMetrics, type MetricsText } from '../telemetry/merge.ts'
import { ControlRelay } from './control-relay.ts'
import { isFromWorker, type ToWorker, type WorkerReport } from './messages.ts'

const REPORT_TIMEOUT_MS = 2_000

/** The workers that are alive, seen as one gateway. */
export class Fleet {
  /** Set once the fleet goes down for good: a worker that ends is then not replaced. */
  stopping = false
  /** Approvals, locks and channels, answered by one of the workers. */
  readonly relay = new ControlRelay()
  readonly #complain: (text: string) => void
  readonly #ownMetrics: () => Promise<readonly object[]>
  readonly #alive = new Set<Worker>()
  readonly #waiting = new Map<number, (report: WorkerReport) => void>()
  #requests = 0
  #reloaded: (people: PeopleConfig) => void = () => undefined

  /** `ownMetrics` are those of the primary itself, in prom-client's JSON form. */
  constructor(complain: (text: string) => void, ownMetrics: () => Promise<readonly object[]>) {
    this.#complain = complain
    this.#ownMetrics = ownMetrics
  }

  add(worker: Worker): void {
    this.#alive.add(worker)
    this.relay.add(worker)
    worker.on('message', (message: unknown) => {
      if (!isFromWorker(message)) return
      if (message.kind === 'report') this.#waiting.get(message.request)?.(message.report)
      if (message.kind === 'reloaded') this.#reloaded(message.people)
    })
    worker.on('exit', () => this.#alive.delete(worker))
    worker.on('error', (error) => this.#complain(`toolgate: worker ${worker.id}: ${error.message}\n`))
  }

  /** Calls back with the people whom a worker's configuration names, after it was told to reload. */
  onReloaded(callback: (people: PeopleConfig) => void): void {
    this.#reloaded = callback
  }

  /** Whether the worker came up; false when it ended first. */
  started(worker: Worker): Promise<boolean> {
    return new Promise((resolve) => {
      worker.on('message', (message: unknown) => {
        if (isFromWorker(message) && message.kind === 'started') resolve(true)
      })
      worker.once('exit', () => resolve(false))
    })
  }

  tell(message: ToWorker): void {
    for (const worker of this.#alive) if (worker.isConnected()) worker.send(message)
  }

  /** Resolves when no worker is left; when the signal aborts, those left are killed. */
  async allGone(hurry: AbortSignal): Promise<void> {
    const kill = (): void => {
      for (const worker of this.#alive) worker.process.kill('SIGKILL')
    }
    if (hurry.aborted) kill()
    hurry.addEventListener('abort', kill, { once: true })
    await Promise.all([...this.#alive].map((worker) => once(worker, 'exit')))
  }

  /** Ready while one worker is; otherwise every worker's reasons. */
  async readiness(): Promise<Readiness> {
    const reports = [...(await this.#askAll('state')).values()]
    if (reports.length === 0) return { workers: 'none is up' }
    const all = reports.map(({ readiness }) => readiness)
    const ready = all.find((reasons) => Object.keys(reasons).length === 0)
    return ready ?? Object.fromEntries(all.flatMap((reasons) => Object.entries(reasons)))
  }

  async metrics(): Promise<MetricsText> {
    const reports = await this.#askAll('metrics')
    return mergeMetrics([await this.#ownMetrics(), ...[...reports.values()].map(({ metrics }) => metrics)])
  }

  /** What any of the workers notes of itself. */
  async notes(): Promise<Readiness> {
    const reports = await this.#askAll('state')
    return Object.assign({}, ...[...reports.values()].map(({ notes }) => notes)) as Readiness
  }

  async status(): Promise<unknown> {
    const reports = await this.#askAll('state')
    return { workers: Object.fromEntries([...reports].map(([id, { status }]) => [id, status])) }
  }

  async config(): Promise<unknown> {
    const [first] = (await this.#askAll('state')).values()
    return first?.config
  }

  /** Reports by worker id; a worker that does not answer in time has none. */
  async #askAll(want: 'state' | 'metrics'): Promise<ReadonlyMap<number, WorkerReport>> {
    const asked = [...this.#alive].map(async (worker) => [worker.id, await this.#ask(worker, want)] as const)
    const reports = new Map<number, WorkerReport>()
    for (const [id, report] of await Promise.all(asked)) if (report !== undefined) reports.set(id, report)
    return reports
  }

  async #ask(worker: Worker, want: 'state' | 'metrics'): Promise<WorkerReport | undefined> {
    const request = ++this.#requests
    const reply = Promise.withResolvers<WorkerReport | undefined>()
    const timer = setTimeout(() => reply.resolve(undefined), REPORT_TIMEOUT_MS)
    this.#waiting.set(request, reply.resolve)
    worker.send({ kind: 'report', request, want } satisfies ToWorker, (error) => {
      if (error !== null) reply.resolve(undefined)
    })
    const report = await reply.promise
    clearTimeout(timer)
    this.#waiting.delete(request)
    return report
  }
}
