import { parseArgs } from 'node:util'
import { type CallRecord, mainEntry, readCallRecord } from '../../audit/call-record.ts'
import { searchCalls } from '../../audit/index/search-calls.ts'
import { type Command, UsageError } from '../command.ts'
import { paintFor } from '../policy/colours.ts'
import { describeCall } from './describe-call.ts'
import { openRecord, RECORD_OPTIONS, RECORD_USAGE, recordPlaces, type OpenRecord } from './record-places.ts'

const USAGE = `toolgate audit show CALL|TASK [RECORD] [--json]

Shows one call, or the timeline of a task: who, for whom, what, on what, why, under which policy, and how it ended, with
what the entries only commit to where that has been kept and its key is here. Each such value is checked against its
commitment; one that was lost, erased or altered is called so.

${RECORD_USAGE}  --json                    one JSON object on each line: the entries as they are, and what they commit to

Exit codes: 0 shown · 1 nothing like that on record, or the record cannot be read · 2 wrong usage
`

export const show: Command = {
  summary: 'show a call, or the timeline of a task',
  usage: USAGE,
  async run(args, surroundings) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...RECORD_OPTIONS, json: { type: 'boolean', default: false } },
    })
    const [subject, ...more] = positionals
    if (subject === undefined || subject === '' || more.length > 0)
      throw new UsageError('show takes one call id, or one task')
    using record = await openRecord(recordPlaces(values, surroundings))
    const paint = paintFor(surroundings)
    let shown = 0
    for (const call of callsOf(record, subject)) {
      const onRecord = await readCallRecord(record, call)
      const described = values.json ? `${JSON.stringify(asJson(onRecord))}\n` : describeCall(onRecord, paint)
      surroundings.print(shown === 0 || values.json ? described : `\n${described}`)
      shown += 1
    }
    if (shown === 0) throw new Error(`${subject} is neither a call nor a task in ${record.places.audit}`)
    return 0
  },
}

function* callsOf({ index }: OpenRecord, subject: string) {
  const [call] = searchCalls(index, { call: subject }, { order: 'oldest' })
  if (call !== undefined) yield call
  else yield* searchCalls(index, { task: subject }, { order: 'oldest' })
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
