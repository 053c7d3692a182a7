import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Connection } from './connection.ts'
import type { LoadPlan, LoadResult, LoadRun } from './plan.ts'
import type { Requests } from './requests.ts'

const THREAD_START_MS = 150
/** What the clock of the thread and this one may differ by. */
const CLOCKS_APART_MS = 0.05

/** The connections of a plan, and one run of calls after another over them. */
export class Load {
  #connections: readonly Connection[] = []
  #run: Run | undefined

  static async open(plan: LoadPlan): Promise<Load> {
    const load = new Load()
    const events = {
      replied: (connection: Connection, status: string) => load.#run?.replied(connection, status),
      failed: (cause: Error) => {
        // Nobody listens between two runs; a server that fails then fails the next one.
        load.#run?.failed(cause)
      },
    }
    load.#connections = await Promise.all(
      Array.from({ length: plan.connections }, () => Connection.open(plan, events)),
    )
    return load
  }

  async call(requests: Requests, { seconds, perSecond, calls }: LoadRun): Promise<LoadResult> {
    const Kind = perSecond === undefined ? SaturatingRun : PacedRun
    const run = new Kind(this.#connections, requests, { seconds, perSecond: perSecond ?? 0, calls })
    this.#run = run
    const cpuBefore = process.cpuUsage()
    const result = await run.result
    const { user, system } = process.cpuUsage(cpuBefore)
    this.#run = undefined
    return { ...result, clientCores: (user + system) / 1_000 / result.elapsedMs }
  }
}

type Seen = Omit<LoadResult, 'clientCores'>

interface Extent {
  readonly seconds: number
  readonly perSecond: number
  readonly calls: number
}

abstract class Run {
  readonly result: Promise<Seen>
  readonly startedMs = performance.now()
  protected readonly free: Connection[]
  protected readonly extent: Extent
  readonly #requests: Requests
  readonly #settle: PromiseWithResolvers<Seen>
  readonly #latenciesMs: number[] = []
  protected readonly latenessMs: number[] = []
  readonly #statuses: Record<string, number> = {}
  protected begun = 0

  constructor(connections: readonly Connection[], requests: Requests, extent: Extent) {
    this.free = [...connections]
    this.#requests = requests
    this.extent = extent
    this.#settle = Promise.withResolvers()
    this.result = this.#settle.promise
  }

  /** What to do now that connections may be free. */
  protected abstract proceed(): void
  protected abstract isOver(): boolean

  failed(cause: Error): void {
    this.#settle.reject(cause)
  }

  replied(connection: Connection, status: string): void {
    this.#latenciesMs.push(performance.now() - connection.dueMs)
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1
    this.free.push(connection)
    this.proceed()
    if (this.#latenciesMs.length === this.begun && this.isOver()) this.#end()
  }

  /** False when there was no request left to send. */
  protected begin(connection: Connection, dueMs: number): boolean {
    const request = this.#requests.next()
    if (request === undefined) return false
    this.begun += 1
    connection.send(request, dueMs)
    return true
  }

  #end(): void {
    this.#settle.resolve({
      calls: this.begun,
      elapsedMs: performance.now() - this.startedMs,
      latenciesMs: Float64Array.from(this.#latenciesMs),
      latenessMs: Float64Array.from(this.latenessMs),
      statuses: this.#statuses,
    })
  }
}

/** Closed loop: the next call on a connection begins when the last one ended. */
class SaturatingRun extends Run {
  #isOver = false

  constructor(...args: ConstructorParameters<typeof Run>) {
    super(...args)
    this.proceed()
  }

  protected isOver(): boolean {
    return this.#isOver
  }

  protected proceed(): void {
    while (!this.#isOver && this.free.length > 0) {
      const nowMs = performance.now()
      const isLate = nowMs - this.startedMs >= this.extent.seconds * 1_000
      const connection = this.free.pop() as Connection
      this.#isOver = isLate || !this.begin(connection, nowMs)
    }
  }
}

/**
 * Open loop: calls begin by the clock. The latency of one that finds no free connection, or that this client begins
 * late, counts from when it was due, so that a server which stalls cannot hide it by being asked less.
 */
class PacedRun extends Run {
  readonly #dueMs: number[] = []
  #made = 0

  constructor(...args: ConstructorParameters<typeof Run>) {
    super(...args)
    const { perSecond, seconds } = this.extent
    // Both clocks count from the same moment, when the thread will have started.
    const firstMs = performance.now() + THREAD_START_MS
    const firstNs = process.hrtime.bigint() + BigInt(THREAD_START_MS * 1_000_000)
    const workerData = { firstNs, perSecond, seconds }
    const pacer = new Worker(join(import.meta.dirname, 'pacer-process.ts'), { workerData })
    pacer.on('message', () => this.#tick(firstMs))
    pacer.on('error', (cause: Error) => this.failed(cause))
  }

  protected isOver(): boolean {
    return this.#made >= Math.floor(this.extent.perSecond * this.extent.seconds)
  }

  #tick(firstMs: number): void {
    const nowMs = performance.now()
    for (; !this.isOver(); this.#made += 1) {
      const dueMs = firstMs + (this.#made / this.extent.perSecond) * 1_000
      if (dueMs > nowMs + CLOCKS_APART_MS) break
      this.#dueMs.push(dueMs)
      this.latenessMs.push(nowMs - dueMs)
    }
    this.proceed()
  }

  protected proceed(): void {
    while (this.#dueMs.length > 0 && this.free.length > 0) {
      // In turn, so that none is idle for so long that the server closes it.
      const connection = this.free.shift() as Connection
      if (!this.begin(connection, this.#dueMs.shift() as number))
        throw new Error('too few requests were made')
    }
  }
}
