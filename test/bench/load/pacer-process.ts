/**
 * A clock of its own thread, precise to some 0.1 ms where timers of an event loop are to 1 ms, that keeps no core busy.
 * Posts a message whenever the next call is due.
 */
import { parentPort, workerData } from 'node:worker_threads'

const { firstNs, perSecond, seconds } = workerData as {
  readonly firstNs: bigint
  readonly perSecond: number
  readonly seconds: number
}
const never = new Int32Array(new SharedArrayBuffer(4))
for (let count = 0; count < perSecond * seconds; count += 1) {
  const dueNs = firstNs + BigInt(Math.round((count / perSecond) * 1e9))
  const waitMs = Number(dueNs - process.hrtime.bigint()) / 1e6
  if (waitMs <= 0) continue
  Atomics.wait(never, 0, 0, waitMs)
  parentPort?.postMessage(0)
}
parentPort?.postMessage(0)
