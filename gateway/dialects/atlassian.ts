import type { LimitState } from '../exchange.ts'
import { problemMembers, retryAfterSeconds } from './problem.ts'
import type { RefusalContext, RenderedRefusal } from './problem.ts'

/** The error body of Jira and Confluence: `errorMessages` for both, `message` for Confluence's v1 clients. */
export function renderAtlassian(context: RefusalContext): RenderedRefusal {
  const members = problemMembers(context)
  const message = `${members.title}. ${members.detail}`
  const headers = ['Content-Type', 'application/json; charset=utf-8']
  if (members.status === 429) headers.push(...limitHeaders(context))
  return {
    status: members.status,
    headers,
    body: Buffer.from(JSON.stringify({ errorMessages: [message], errors: {}, message, ...members })),
  }
}

/** jira-python ends in a KeyError on a 429 without all five of these. */
function limitHeaders({ refusal, limits, nowMs }: RefusalContext): string[] {
  const waitSeconds = retryAfterSeconds(refusal) ?? 1
  const spent = limits.reduce<LimitState | undefined>(
    (least, limit) => (least === undefined || limit.remaining < least.remaining ? limit : least),
    undefined,
  )
  const quota = String(spent?.quota ?? 1)
  const intervalSeconds = spent === undefined ? waitSeconds : Math.max(1, Math.ceil(spent.windowMs / 1000))
  return [
    'X-RateLimit-Limit',
    quota,
    'X-RateLimit-Remaining',
    '0',
    'X-RateLimit-Reset',
    new Date(nowMs + waitSeconds * 1000).toISOString(),
    'X-RateLimit-FillRate',
    quota,
    'X-RateLimit-Interval-Seconds',
    String(intervalSeconds),
  ]
}
