import { closeSync, openSync, writeSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type CallRecord, readCallRecord, readIndexed } from '../../audit/call-record.ts'
import type { DetectionEntry } from '../../audit/change-entry.ts'
import { CSV_HEAD, csvDetection, csvLine } from '../../audit/export/csv.ts'
import { ocsfDetection } from '../../audit/export/ocsf-detection.ts'
import { ocsfEvent } from '../../audit/export/ocsf.ts'
import { signedLogs } from '../../audit/export/signed-logs.ts'
import { reportEvents } from '../../audit/export/report-events.ts'
import { reportSections } from '../../audit/export/report-sections.ts'
import {
  addToTotals,
  type ChangeEntry,
  newTotals,
  reportFrame,
  reportRow,
} from '../../audit/export/report.ts'
import { type CallFilter, searchCalls } from '../../audit/index/search-calls.ts'
import { searchEvents } from '../../audit/index/search-events.ts'
import { systemClock } from '../../lib/clock.ts'
import { type Command, type Surroundings, UsageError } from '../command.ts'
import { FILTER_OPTIONS, FILTER_USAGE, filterOf, type FilterValues } from './filter.ts'
import { searchExported } from './export-order.ts'
import { readEvent } from './read-event.ts'
import { openRecord, RECORD_OPTIONS, RECORD_USAGE, recordPlaces, type OpenRecord } from './record-places.ts'

const USAGE = `toolgate audit export --format csv|jsonl|ocsf|html [FILTER] [--disclose] [--title TEXT] [--out FILE] [RECORD]

Writes calls, and what was detected in them, oldest first, for somebody else to read: a table (csv), entries as they are
(jsonl), events of OCSF 1.8 (ocsf, one on each line: API Activity of calls, Detection Finding of detections), or a report to
print (html) for a period or, with any filter beside the time, an incident: calls and what happened around them, detections,
locks, approvals, calls in doubt, keys and policy. Reads as it writes, so the length of the record does not matter. What
entries only commit to stays out of it unless asked for.

${FILTER_USAGE}  --disclose                with what the entries commit to, where that can be had (jsonl, html)
  --title TEXT              of the report (Record of tool calls)
  --out FILE                a new file, for its owner alone; standard output without it
${RECORD_USAGE}
Exit codes: 0 written · 1 the record cannot be read, or the file not written · 2 wrong usage
`

const FORMATS = ['csv', 'jsonl', 'ocsf', 'html'] as const
type Format = (typeof FORMATS)[number]

export const exportCalls: Command = {
  summary: 'write calls and detections as a table, as JSON, as OCSF events or as a report',
  usage: USAGE,
  async run(args, surroundings) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...FILTER_OPTIONS,
        ...RECORD_OPTIONS,
        format: { type: 'string' },
        disclose: { type: 'boolean', default: false },
        title: { type: 'string', default: 'Record of tool calls' },
        out: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    })
    const format = FORMATS.find((each) => each === (values.format ?? (values.json ? 'jsonl' : undefined)))
    if (format === undefined) throw new UsageError(`--format is one of ${FORMATS.join(', ')}`)
    const places = recordPlaces(values, surroundings)
    const filter = await filterOf(values, places.audit, systemClock.nowMs())
    using record = await openRecord(places)
    using out = openOut(values.out, surroundings)
    if (format === 'csv') out.write(CSV_HEAD)
    const frame = format === 'html' ? await frameOf(record, filter, values) : undefined
    if (frame !== undefined) {
      out.write(frame.head)
      const events = await reportEvents(record, filter)
      for (const piece of reportSections(record.index, filter, events)) out.write(piece)
      out.write(frame.calls)
    }
    for (const found of searchExported(record.index, filter)) {
      if (found.kind === 'event') {
        const entry = readEvent(record.index, found.event)
        if (entry?.type === 'detection') out.write(detectionLineOf(format, entry))
        continue
      }
      const call = await readCallRecord(record, found.call)
      out.write(lineOf(format, values.disclose ? call : withheld(call)))
    }
    if (frame !== undefined) out.write(frame.tail)
    return 0
  },
}

function lineOf(format: Format, call: CallRecord): string {
  switch (format) {
    case 'csv':
      return csvLine(call)
    case 'html':
      return reportRow(call)
    case 'ocsf': {
      const event = ocsfEvent(call)
      return event === undefined ? '' : `${JSON.stringify(event)}\n`
    }
    case 'jsonl': {
      const { found, decision, outcome, disclosure } = call
      const entries = [decision, outcome].filter((entry) => entry !== undefined)
      const disclosed =
        disclosure.values.size === 0 ? {} : { disclosed: Object.fromEntries(disclosure.values) }
      return `${JSON.stringify({ call: found.call, entries, ...disclosed })}\n`
    }
  }
}

function detectionLineOf(format: Format, entry: DetectionEntry): string {
  switch (format) {
    case 'csv':
      return csvDetection(entry)
    case 'html':
      // They have a section of their own.
      return ''
    case 'ocsf':
      return `${JSON.stringify(ocsfDetection(entry))}\n`
    case 'jsonl':
      return `${JSON.stringify({ detection: entry.id, entries: [entry] })}\n`
  }
}

function withheld(call: CallRecord): CallRecord {
  return { ...call, disclosure: { ...call.disclosure, values: new Map(), texts: new Map() } }
}

/** The totals come first on paper, so the index is gone through once before any entry is read. */
async function frameOf(
  { index, places }: OpenRecord,
  filter: CallFilter,
  values: FilterValues & { readonly title: string },
): Promise<ReturnType<typeof reportFrame>> {
  const totals = newTotals()
  for (const found of searchCalls(index, filter, { order: 'oldest' })) addToTotals(totals, found)
  const changes: ChangeEntry[] = []
  const { fromMs, toMs } = filter
  const inForce = { types: ['config', 'policy', 'key'], fromMs, toMs } as const
  for (const { at } of searchEvents(index, inForce, { order: 'oldest' })) {
    const entry = readIndexed(index, at)
    if (entry?.type === 'config' || entry?.type === 'policy' || entry?.type === 'key') changes.push(entry)
  }
  const scope = Object.keys(FILTER_OPTIONS).flatMap((name) => {
    const value = values[name as keyof FilterValues]
    return value === undefined ? [] : [`${name}: ${value}`]
  })
  const logs = await signedLogs(places.audit)
  const writtenAt = new Date(systemClock.nowMs()).toISOString()
  return reportFrame({ title: values.title, scope, totals, changes, logs, writtenAt })
}

interface Out extends Disposable {
  write(text: string): void
}

function openOut(path: string | undefined, { print }: Surroundings): Out {
  if (path === undefined) return { write: print, [Symbol.dispose]: () => undefined }
  const file = openSync(path, 'wx', 0o600)
  return { write: (text) => void writeSync(file, text), [Symbol.dispose]: () => closeSync(file) }
}
