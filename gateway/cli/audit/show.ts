import { parseArgs } from 'node:util'
import { type CallRecord, mainEntry, readCallRecord } from '../../audit/call-record.ts'
import { type TimelineItem, timelineOf } from '../../audit/history/timeline.ts'
import { searchCalls } from '../../audit/index/search-calls.ts'
import { searchEvents } from '../../audit/index/search-events.ts'
import { searchRecord } from '../../audit/index/search-record.ts'
import { type Command, UsageError } from '../command.ts'
import { type Paint, paintFor } from '../policy/colours.ts'
import { describeCall } from './describe-call.ts'
import { describeEvent } from './describe-event.ts'
import { eventJson, readEvent } from './read-event.ts'
import { openRecord, RECORD_OPTIONS, RECORD_USAGE, recordPlaces, type OpenRecord } from './record-places.ts'

const USAGE = `toolgate audit show CALL|TASK|APPROVAL|LOCK|DETECTION [RECORD] [--json]

Shows one call, the timeline of a task, or what is on record of an approval, a lock or a detection, with the calls it was
about. Of calls: who, for whom, what, on what, why, under which policy, and how it ended, with what the entries only
commit to where that has been kept and its key is here. Each such value is checked against its commitment; one that was
lost, erased or altered is called so. Between calls, in the order of time: approvals asked of them, each vote and who
gave it, their use; detections; and locks that were on them, their agent, person or task until an hour after the last.

${RECORD_USAGE}  --json                    one JSON object on each line: the entries as they are, and what they commit to

Exit codes: 0 shown · 1 nothing like that on record, or the record cannot be read · 2 wrong usage
`

export const show: Command = {
  summary: 'show a call, the timeline of a task, an approval, a lock or a detection',
  usage: USAGE,
  async run(args, surroundings) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...RECORD_OPTIONS, json: { type: 'boolean', default: false } },
    })
    const [subject, ...more] = positionals
    if (subject === undefined || subject === '' || more.length > 0)
      throw new UsageError('show takes one call, task, approval, lock or detection')
    using record = await openRecord(recordPlaces(values, surroundings))
    const describe = values.json ? jsonOf(record) : describerOf(record, paintFor(surroundings))
    let shown = 0
    for await (const item of itemsOf(record, subject)) {
      const separator = shown === 0 || values.json ? '' : '\n'
      surroundings.print(`${separator}${describe(item)}`)
      shown += 1
    }
    if (shown === 0)
      throw new Error(`${subject} is no call, task, approval, lock or detection in ${record.places.audit}`)
    return 0
  },
}

/** What carries this name first, in this order: ids are ours, and tasks are called what agents like. */
async function* itemsOf(record: OpenRecord, subject: string): AsyncGenerator<TimelineItem> {
  const { index } = record
  const [call] = searchCalls(index, { call: subject }, { order: 'oldest', limit: 1 })
  if (call !== undefined) return yield* timelineOf(record, { call: subject })
  for (const role of ['approval', 'lock', 'detection'] as const) {
    const events = { mentions: { [role]: subject } }
    const [event] = searchEvents(index, events, { order: 'oldest', limit: 1 })
    if (event === undefined) continue
    const calls = role === 'detection' ? undefined : { [role]: subject }
    for (const found of searchRecord(index, { calls, events }, { order: 'oldest' })) {
      if (found.kind === 'event') yield found
      else yield { kind: 'call', record: await readCallRecord(record, found.call) }
    }
    return
  }
  yield* timelineOf(record, { task: subject })
}

function describerOf({ index }: OpenRecord, paint: Paint): (item: TimelineItem) => string {
  return (item) => {
    if (item.kind === 'call') return describeCall(item.record, paint)
    const entry = readEvent(index, item.event)
    return entry === undefined ? `${item.event.type}, pruned\n` : describeEvent(entry, paint)
  }
}

function jsonOf({ index }: OpenRecord): (item: TimelineItem) => string {
  return (item) => {
    const shown = item.kind === 'call' ? asJson(item.record) : eventJson(index, item.event)
    return `${JSON.stringify(shown)}\n`
  }
}

function asJson(record: CallRecord): object {
  const { found, decision, outcome, disclosure } = record
  const { state, values, texts } = disclosure
  return {
    call: found.call,
    complete: mainEntry(record) !== undefined && outcome !== undefined,
    entries: [decision, outcome].filter((entry) => entry !== undefined),
    disclosures: state,
    disclosed: Object.fromEntries(values),
    // As the commitments were made of them: base64url of each is a disclosure of SD-JWT.
    disclosure_texts: Object.fromEntries(texts),
  }
}
