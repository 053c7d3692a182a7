import type { Server } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { CallGate } from './call-gate.ts'
import type { Connections } from './connections.ts'

export interface DrainLimits {
  /** How long new calls are still welcome, so that a load balancer can see the readiness change. */
  readonly graceMs: number
  /** How long the calls in flight have after that. */
  readonly deadlineMs: number
}

export interface DrainReport {
  /** Calls that were still in flight at the deadline. */
  readonly cutCalls: number
}

/** What refused calls get to reach their clients and the record, once the deadline has passed. */
const LAST_WORDS_MS = 1000

/** The steps of `Listener.drain` after readiness has changed. */
export async function drainServers(
  servers: readonly Server[],
  connections: Connections,
  gate: CallGate,
  { graceMs, deadlineMs }: DrainLimits,
  hurry: AbortSignal,
): Promise<DrainReport> {
  if (graceMs > 0) await pause(graceMs, hurry)
  // Closes idle connections too: since the grace began every reply has told its client not to use them again.
  const closed = Promise.all(servers.map(closeServer))
  connections.closeUnused()
  // Only once no connection is left can no further call begin.
  const finished = closed.then(() => gate.idle())
  const inTime = await within(finished, deadlineMs, hurry)
  if (inTime) return { cutCalls: 0 }
  const cutCalls = gate.size
  gate.abortAll('gateway.draining')
  await within(gate.idle(), LAST_WORDS_MS, new AbortController().signal)
  for (const server of servers) server.closeAllConnections()
  await closed
  return { cutCalls }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}

/** Whether `work` settled in time; time is up at once when somebody is in a hurry. */
async function within(work: Promise<unknown>, timeoutMs: number, hurry: AbortSignal): Promise<boolean> {
  const timer = new AbortController()
  const late = pause(timeoutMs, AbortSignal.any([timer.signal, hurry])).then(() => false)
  const inTime = await Promise.race([work.then(() => true), late])
  timer.abort()
  return inTime
}

/** Ends early, and never rejects, when the signal aborts. */
async function pause(ms: number, cut: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal: cut }).catch(() => undefined)
}
