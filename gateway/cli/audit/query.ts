import { parseArgs } from 'node:util'
import { searchCalls, type FoundCall } from '../../audit/index/search-calls.ts'
import { systemClock } from '../../lib/clock.ts'
import { printable } from '../../lib/scrub.ts'
import { type Command, UsageError } from '../command.ts'
import { type Paint, paintFor } from '../policy/colours.ts'
import { FILTER_OPTIONS, FILTER_USAGE, filterOf } from './filter.ts'
import { openRecord, RECORD_OPTIONS, RECORD_USAGE, recordPlaces } from './record-places.ts'

const USAGE = `toolgate audit query [FILTER] [--limit N] [--oldest] [RECORD] [--json]

Lists calls, the newest first. Looks them up in an index beside the log, which it brings up to date first; a gateway may
be writing meanwhile. The index proves nothing: toolgate audit verify does.

${FILTER_USAGE}  --limit N                 at most so many (100); 0 for all
  --oldest                  the oldest first
${RECORD_USAGE}  --json                    one JSON object on each line

Exit codes: 0 listed, also when there is none · 1 the record cannot be read · 2 wrong usage
`

export const query: Command = {
  summary: 'list calls by time, agent, principal, task, operation, decision, resource',
  usage: USAGE,
  async run(args, surroundings) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...FILTER_OPTIONS,
        ...RECORD_OPTIONS,
        limit: { type: 'string', default: '100' },
        oldest: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    })
    if (!/^\d{1,9}$/.test(values.limit)) throw new UsageError('--limit is a number')
    const places = recordPlaces(values, surroundings)
    const filter = await filterOf(values, places.audit, systemClock.nowMs())
    using record = await openRecord(places)
    const limit = Number(values.limit)
    const describe = values.json ? jsonLine : lineFor(paintFor(surroundings))
    let found = 0
    for (const call of searchCalls(record.index, filter, {
      order: values.oldest ? 'oldest' : 'newest',
      limit: limit === 0 ? undefined : limit,
    })) {
      found += 1
      surroundings.print(describe(call))
    }
    if (found === 0) surroundings.complain('no call on record is like that\n')
    else if (found === limit && !values.json) surroundings.complain(`${found} shown; --limit for more\n`)
    return 0
  },
}

function jsonLine({ timeMs, risk, entries, ...call }: FoundCall): string {
  const numbers = entries.map(({ number }) => number)
  return `${JSON.stringify({ time: timeText(timeMs), ...call, risk: risk ?? null, entries: numbers })}\n`
}

function lineFor(paint: Paint): (call: FoundCall) => string {
  return ({ timeMs, call, decision, outcome, status, operation, agent, principal, risk }) => {
    const colour = decision === 'allow' ? 'green' : decision === 'hold' ? 'yellow' : 'red'
    const ended = outcome === '' ? 'open' : `${shown(outcome)} ${status}`
    const what = [shown(operation), risk === undefined ? '' : `risk ${risk}`].filter(Boolean).join(', ')
    const who = agent === '' ? 'nobody proven' : `${shown(agent)} for ${shown(principal)}`
    return `${timeText(timeMs)}  ${shown(call)}  ${paint(colour, (decision || 'unknown').padEnd(7))}  ${ended.padEnd(24)}  ${what}  ${paint('dim', who)}\n`
  }
}

/** A log that somebody has altered may hold what a terminal would obey. */
function shown(text: string): string {
  return printable(text, 256)
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
