import type { CallFilter } from '../../audit/index/search-calls.ts'
import type { EventType } from '../../audit/index/event.ts'
import type { EventFilter } from '../../audit/index/search-events.ts'
import { readTokenKeys } from '../../audit/token-keys.ts'
import { UsageError } from '../command.ts'

/** Options that say which calls are meant; `parseArgs` takes them as they are. */
export const FILTER_OPTIONS = {
  from: { type: 'string' },
  to: { type: 'string' },
  call: { type: 'string' },
  agent: { type: 'string' },
  principal: { type: 'string' },
  tenant: { type: 'string' },
  task: { type: 'string' },
  operation: { type: 'string' },
  decision: { type: 'string' },
  outcome: { type: 'string' },
  resource: { type: 'string' },
  approval: { type: 'string' },
  lock: { type: 'string' },
  person: { type: 'string' },
} as const

/** For the usage of every command that takes {@link FILTER_OPTIONS}. */
export const FILTER_USAGE = `  --from TIME, --to TIME    of arrival, from then on, before then: 2026-11-25, 2026-11-25T09:30:00Z, or 90m, 24h, 7d ago
  --call ID
  --agent, --principal, --tenant, --task, --operation, --outcome TEXT
                            * stands for anything: --operation 'github.pulls/*'
  --decision allow|deny|hold|refused
                            refused: by the gateway before policy was asked
  --outcome open|unknown|…  open: none on record; unknown: none will ever be; or a code of gateway/REFUSALS.md
  --approval ID             calls that asked for this approval or used it up
  --lock ID                 calls that this lock stopped
  --person ID               calls about which this person answered
  --resource TEXT           project, repository, channel or account; found behind its keyed token, too, under every
                            token key that is still in the record
`

export type FilterValues = { readonly [Name in keyof typeof FILTER_OPTIONS]?: string | undefined }

const DECISIONS: readonly string[] = ['allow', 'deny', 'hold', 'refused']

export async function filterOf(
  values: FilterValues,
  auditDirectory: string,
  nowMs: number,
): Promise<CallFilter> {
  const { from, to, decision, resource, ...texts } = values
  if (decision !== undefined && !DECISIONS.includes(decision))
    throw new UsageError(`--decision is one of ${DECISIONS.join(', ')}`)
  return {
    ...callTexts(texts),
    decision,
    fromMs: from === undefined ? undefined : timeIn(from, nowMs),
    toMs: to === undefined ? undefined : timeIn(to, nowMs),
    resources: resource === undefined ? undefined : await spellings(resource, auditDirectory),
  }
}

type TextName = Exclude<keyof FilterValues, 'from' | 'to' | 'decision' | 'resource'>

/** Commands hand over all their options, of which these are some. */
function callTexts(values: Pick<FilterValues, TextName>): Pick<CallFilter, TextName> {
  const { call, agent, principal, tenant, task, operation, outcome, approval, lock, person } = values
  return { call, agent, principal, tenant, task, operation, outcome, approval, lock, person }
}

/** The same of events; what only calls have is left out. */
export function eventFilterOf(filter: CallFilter, types?: readonly EventType[]): EventFilter {
  const { call, agent, principal, tenant, task, operation, approval, lock, person, fromMs, toMs } = filter
  const mentions = { call, agent, principal, tenant, task, operation, approval, lock, person }
  return { types, mentions, fromMs, toMs }
}

/** Whether it asks for what only calls have. */
export function isOfCallsAlone({ decision, outcome, resources }: CallFilter): boolean {
  return decision !== undefined || outcome !== undefined || resources !== undefined
}

/** A value as it may stand in the record: in plain, and as the token of it under each key. */
async function spellings(value: string, auditDirectory: string): Promise<string[]> {
  const keys = await readTokenKeys(auditDirectory)
  return [value, ...keys.map((key) => key.tokenOf(value))]
}

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds since the epoch; a time without a zone is UTC, as every time on record. */
export function timeIn(text: string, nowMs: number): number {
  const [, count, unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  const unitMs = UNIT_MS[unit]
  if (count !== undefined && unitMs !== undefined) return nowMs - Number(count) * unitMs
  const [, date, time = 'T00:00', zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?$/.exec(text) ?? []
  const parsed = date === undefined ? Number.NaN : Date.parse(date + time + zone)
  if (Number.isNaN(parsed)) throw new UsageError(`not a time: ${JSON.stringify(text)}`)
  return parsed
}
