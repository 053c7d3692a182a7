import type { LimitState } from '../exchange.ts'
import type { Feedback } from '../limits/feedback.ts'
import { bucketUs } from '../limits/sliding-count.ts'
import { type AdmissionAnswer, type AdmissionDemand, DAY_MS, ERRORS_WINDOW_MS } from './admission-store.ts'

/** Keys and arguments of one run of a script. */
export interface Trip {
  readonly keys: readonly string[]
  readonly args: readonly (string | number)[]
}

/** What admit.lua answered, before it is given its way to settle. */
export type AdmitReply = AdmissionAnswer extends infer Answer
  ? Answer extends { kind: 'admitted' }
    ? Omit<Answer, 'settle' | 'recall'>
    : Answer
  : never

/** The clocks of two gateways may differ by this much: a mark must outlive the proof on the slower one. */
const FLEET_CLOCK_MARGIN_MS = 5_000
const COUNTERS_MARGIN_MS = 600_000
const FIXED_FIELDS = 9

/** The layout is written down at the head of admit.lua. */
export function admitTrip(prefix: string, demand: AdmissionDemand, nowMs: number): Trip {
  const { replay, rates, quotas, concurrency } = demand
  const { agent, used, task, tasks, recent } = agentKeys(prefix, demand)
  const keys = [
    agent,
    used,
    task,
    tasks,
    replay === undefined ? agent : `${prefix}${demand.tag}:p:${replay.key}`,
    recent,
  ]
  const args: (string | number)[] = [
    rates.length,
    quotas.length,
    concurrency.length,
    replay === undefined ? 0 : Math.max(1, Math.ceil(replay.expiresAtMs - nowMs)) + FLEET_CLOCK_MARGIN_MS,
    demand.callId,
    demand.operation,
    demand.access === 'read' ? 0 : 1,
    demand.task,
    countersTtlMs(demand),
  ]
  for (const { key, whole } of rates) {
    keys.push(prefix + key)
    args.push(whole.intervalUs, whole.burst)
  }
  for (const { key, whole } of quotas) {
    keys.push(prefix + key)
    args.push(whole.calls)
  }
  for (const { key, whole } of concurrency) {
    keys.push(prefix + key)
    args.push(whole.calls, whole.leaseMs)
  }
  return { keys, args }
}

/** The layout is written down at the head of settle.lua. */
export function settleTrip(prefix: string, demand: AdmissionDemand, feedback: Feedback): Trip {
  const { agent, used, task, recent } = agentKeys(prefix, demand)
  const { failures, windowMs, openMs } = demand.agentBreaker
  return {
    keys: [agent, used, task, recent, ...demand.concurrency.map(({ key }) => prefix + key)],
    args: [
      demand.callId,
      demand.operation,
      demand.access === 'read' ? 0 : 1,
      demand.task === '' ? 0 : 1,
      Number(feedback.forwarded),
      Number(feedback.succeeded),
      Number(feedback.denied),
      Number(feedback.errored),
      Number(feedback.failed),
      failures,
      bucketUs(windowMs),
      openMs * 1000,
      countersTtlMs(demand),
    ],
  }
}

/** The layout is written down at the head of recall.lua. */
export function recallTrip(prefix: string, demand: AdmissionDemand): Trip {
  return { keys: [agentKeys(prefix, demand).recent], args: [demand.operation] }
}

export function renewTrip(prefix: string, demand: AdmissionDemand): Trip {
  return {
    keys: demand.concurrency.map(({ key }) => prefix + key),
    args: [demand.callId, ...demand.concurrency.map(({ whole }) => whole.leaseMs)],
  }
}

/** Reads the reply of admit.lua. Throws a `TypeError` for anything else, which the caller takes for a broken store. */
export function readAdmitReply(demand: AdmissionDemand, reply: unknown): AdmitReply {
  if (!Array.isArray(reply)) throw new TypeError('admit.lua did not answer with an array')
  const number = (index: number): number => {
    const value: unknown = reply[index]
    if (typeof value !== 'number') throw new TypeError(`admit.lua answered no number at ${index}`)
    return value
  }
  const code = number(0)
  if (code === 1) return { kind: 'replayed' }
  const retryAfterMs = Math.ceil(number(2) / 1000)
  if (code === 2) return { kind: 'agent-stopped', retryAfterMs }
  const limits = readLimits(demand, number)
  const position = number(1) - 1
  const limited = (by: 'rate' | 'quota' | 'concurrency', name: string | undefined): AdmitReply => {
    if (name === undefined) throw new TypeError(`admit.lua names no ${by} at ${position}`)
    return { kind: 'limited', by, name, retryAfterMs, limits }
  }
  switch (code) {
    case 0: {
      const lists = reply.slice(FIXED_FIELDS + 2 * limits.length).map(String)
      return {
        kind: 'admitted',
        history: {
          calls1m: number(3),
          denials10m: number(4),
          errors1h: number(5),
          writesTask: number(6),
          firstUse: number(7) === 1,
          operationsTask: lists.slice(0, number(8)),
          operations1h: lists.slice(number(8)),
        },
        limits,
      }
    }
    case 3:
      return limited('rate', demand.rates[position]?.whole.name)
    case 4:
      return limited('quota', demand.quotas[position]?.whole.name)
    case 5:
      return limited('concurrency', demand.concurrency[position]?.whole.name)
    default:
      throw new TypeError(`admit.lua answered the unknown code ${code}`)
  }
}

function readLimits({ rates, quotas }: AdmissionDemand, number: (index: number) => number): LimitState[] {
  const limits: LimitState[] = []
  let index = FIXED_FIELDS
  const state = (name: string, quota: number, windowMs: number): LimitState => ({
    name,
    quota,
    windowMs,
    remaining: number(index++),
    resetMs: Math.ceil(number(index++) / 1000),
  })
  for (const { whole } of rates) limits.push(state(whole.name, whole.calls, whole.windowMs))
  for (const { whole } of quotas) limits.push(state(whole.name, whole.calls, DAY_MS))
  return limits
}

/** Counters of the agent, what it has ever used and what lately, the task and the list of tasks; those two may stand idle. */
function agentKeys(prefix: string, { tag, agent, task }: AdmissionDemand) {
  const stem = prefix + tag
  return {
    agent: `${stem}:a:${agent}`,
    used: `${stem}:u:${agent}`,
    task: `${stem}:t:${agent}:${task}`,
    tasks: `${stem}:i:${agent}`,
    recent: `${stem}:h:${agent}`,
  }
}

function countersTtlMs({ agentBreaker: { windowMs, openMs } }: AdmissionDemand): number {
  return Math.max(ERRORS_WINDOW_MS, windowMs, openMs) + COUNTERS_MARGIN_MS
}
