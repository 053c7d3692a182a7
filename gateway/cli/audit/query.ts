import { parseArgs } from 'node:util'
import type { AuditIndex } from '../../audit/index/audit-index.ts'
import { EVENT_TYPES } from '../../audit/index/event.ts'
import type { CallFilter, FoundCall } from '../../audit/index/search-calls.ts'
import { type Found, searchRecord } from '../../audit/index/search-record.ts'
import { systemClock } from '../../lib/clock.ts'
import { printable } from '../../lib/scrub.ts'
import { type Command, UsageError } from '../command.ts'
import { type Paint, paintFor } from '../policy/colours.ts'
import { eventLine } from './describe-event.ts'
import { eventFilterOf, FILTER_OPTIONS, FILTER_USAGE, filterOf, isOfCallsAlone } from './filter.ts'
import { eventJson, readEvent } from './read-event.ts'
import { openRecord, RECORD_OPTIONS, RECORD_USAGE, recordPlaces } from './record-places.ts'

const USAGE = `toolgate audit query [--type TYPE]… [FILTER] [--limit N] [--oldest] [RECORD] [--json]

Lists calls, and on demand what else is on record: approvals and who answered them, locks, detections, keys, what was in
force. The newest first. Looks them up in an index beside the log, which it brings up to date first; a gateway may
be writing meanwhile. The index proves nothing: toolgate audit verify does.

  --type TYPE               call, ${EVENT_TYPES.join(', ')}; several with commas, or all. Without it calls;
                            with --approval, --lock or --person everything
${FILTER_USAGE}  --limit N                 at most so many (100); 0 for all
  --oldest                  the oldest first
${RECORD_USAGE}  --json                    one JSON object on each line

Exit codes: 0 listed, also when there is none · 1 the record cannot be read · 2 wrong usage
`

export const query: Command = {
  summary: 'list calls, approvals, locks and the rest, by who, what, when',
  usage: USAGE,
  async run(args, surroundings) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...FILTER_OPTIONS,
        ...RECORD_OPTIONS,
        type: { type: 'string', multiple: true, default: [] },
        limit: { type: 'string', default: '100' },
        oldest: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    })
    if (!/^\d{1,9}$/.test(values.limit)) throw new UsageError('--limit is a number')
    const places = recordPlaces(values, surroundings)
    const filter = await filterOf(values, places.audit, systemClock.nowMs())
    const types = typesIn(values.type, filter)
    const eventTypes = EVENT_TYPES.filter((type) => types.has(type))
    const calls = types.has('call') ? filter : undefined
    const events = eventTypes.length === 0 ? undefined : eventFilterOf(filter, eventTypes)
    using record = await openRecord(places)
    const limit = Number(values.limit)
    const describe = values.json ? jsonLine(record.index) : lineFor(record.index, paintFor(surroundings))
    let found = 0
    for (const each of searchRecord(
      record.index,
      { calls, events },
      { order: values.oldest ? 'oldest' : 'newest', limit: limit === 0 ? undefined : limit },
    )) {
      found += 1
      surroundings.print(describe(each))
    }
    if (found === 0) surroundings.complain('nothing on record is like that\n')
    else if (found === limit && !values.json) surroundings.complain(`${found} shown; --limit for more\n`)
    return 0
  },
}

const TYPES: readonly string[] = ['call', ...EVENT_TYPES]

function typesIn(wanted: readonly string[], filter: CallFilter): ReadonlySet<string> {
  const named = wanted.flatMap((text) => text.split(','))
  const unknown = named.find((type) => type !== 'all' && !TYPES.includes(type))
  if (unknown !== undefined) throw new UsageError(`--type is one of ${TYPES.join(', ')} or all`)
  if (isOfCallsAlone(filter)) {
    if (named.some((type) => type !== 'call'))
      throw new UsageError('--decision, --outcome and --resource are of calls: leave --type out')
    return new Set(['call'])
  }
  const { approval, lock, person } = filter
  const isAboutPeople = [approval, lock, person].some((text) => text !== undefined)
  if (named.includes('all') || (named.length === 0 && isAboutPeople)) return new Set(TYPES)
  return new Set(named.length === 0 ? ['call'] : named)
}

function jsonLine(index: AuditIndex): (found: Found) => string {
  return (found) =>
    `${JSON.stringify(found.kind === 'call' ? callJson(found.call) : eventJson(index, found.event))}\n`
}

function callJson({ timeMs, risk, entries, ...call }: FoundCall): object {
  const numbers = entries.map(({ number }) => number)
  return { time: timeText(timeMs), ...call, risk: risk ?? null, entries: numbers }
}

function lineFor(index: AuditIndex, paint: Paint): (found: Found) => string {
  return (found) => {
    if (found.kind === 'call') return callLine(found.call, paint)
    const { event } = found
    const entry = readEvent(index, event)
    return entry === undefined
      ? `${timeText(event.timeMs)}  ${event.type}, pruned\n`
      : eventLine(entry, paint)
  }
}

function callLine(found: FoundCall, paint: Paint): string {
  const { timeMs, call, decision, outcome, status, operation, agent, principal, risk } = found
  const colour = decision === 'allow' ? 'green' : decision === 'hold' ? 'yellow' : 'red'
  const ended = outcome === '' ? 'open' : `${shown(outcome)} ${status}`
  const what = [shown(operation), risk === undefined ? '' : `risk ${risk}`].filter(Boolean).join(', ')
  const who = agent === '' ? 'nobody proven' : `${shown(agent)} for ${shown(principal)}`
  return `${timeText(timeMs)}  ${shown(call)}  ${paint(colour, (decision || 'unknown').padEnd(7))}  ${ended.padEnd(24)}  ${what}  ${paint('dim', who)}\n`
}

/** A log that somebody has altered may hold what a terminal would obey. */
function shown(text: string): string {
  return printable(text, 256)
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
