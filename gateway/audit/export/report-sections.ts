import { isDetectionName, ruleOf } from '../../detections/rules.ts'
import { printable } from '../../lib/scrub.ts'
import { readIndexed } from '../call-record.ts'
import type { ApprovalEntry } from '../change-entry.ts'
import { type ApprovalHistory, readApprovalHistory } from '../history/approval-history.ts'
import type { LockHistory } from '../history/lock-history.ts'
import { nameOfActor } from '../history/name-of-actor.ts'
import type { AuditIndex } from '../index/audit-index.ts'
import { type CallFilter, type FoundCall, searchCalls } from '../index/search-calls.ts'
import { type FoundEvent, searchEvents } from '../index/search-events.ts'
import { type Html, html } from './html.ts'
import type { ReportEvents } from './report-events.ts'

const TEXT_LIMIT = 2_048

/** What happened beside the calls, a piece at a time: nothing is held but the row that is written. */
export function* reportSections(
  index: AuditIndex,
  filter: CallFilter,
  { approvals, locks, detections }: ReportEvents,
): Generator<string> {
  const detected = ['time', 'seen', 'about', 'may mean', 'do first']
  yield* table(
    'Detections',
    detected,
    mapped(detections, (found) => detectionRow(index, found)),
  )
  const locked = ['lock', 'scope', 'set', 'ended', 'asked for release']
  yield* table('Locks in force', locked, mapped(locks, lockRow))
  const asked = ['asked', 'call', 'whom', 'answers', 'ended', 'waited']
  const histories = mapped(approvals, (id) => readApprovalHistory(index, id))
  yield* table(
    'Approvals and reviews',
    asked,
    mapped(histories, (each) => each && approvalRow(each)),
  )
  const doubtful = ['time', 'call', 'who', 'what', 'state']
  yield* table('Calls in doubt', doubtful, mapped(inDoubt(index, filter), doubtRow))
  const { fromMs, toMs } = filter
  const refused = searchEvents(index, { types: ['channel'], fromMs, toMs }, { order: 'oldest' })
  const wanted = ['time', 'who', 'wanted', 'result']
  yield* table(
    'Refused in channels',
    wanted,
    mapped(refused, (found) => channelRow(index, found)),
  )
}

function* table(title: string, columns: readonly string[], rows: Iterable<Html>): Generator<string> {
  yield html`<h2>${title}</h2> `.text
  let count = 0
  for (const row of rows) {
    if (count === 0) {
      const head = columns.map((column) => html`<th>${column}</th>`)
      yield `<table><thead><tr>${html`${head}`.text}</tr></thead><tbody>`
    }
    count += 1
    yield row.text
  }
  yield count === 0 ? '<p>None on record.</p>' : '</tbody></table>'
}

/** Without those of which there is nothing to say: their log has been pruned. */
function* mapped<From, To>(from: Iterable<From>, make: (each: From) => To | undefined): Generator<To> {
  for (const each of from) {
    const made = make(each)
    if (made !== undefined) yield made
  }
}

function detectionRow(index: AuditIndex, { at }: FoundEvent): Html | undefined {
  const entry = readIndexed(index, at)
  if (entry?.type !== 'detection') return undefined
  const { count, detail, last_call: call = '', lock, rule: name, severity, subject, time } = entry
  const rule = isDetectionName(name) ? ruleOf(name) : undefined
  const locked = lock === undefined ? '' : html`<br />set lock <code>${shown(lock.id)}</code>`
  return cells([
    html`${time}<br /><code>${shown(entry.id)}</code>`,
    html`${shown(rule?.title ?? name)} (${severity}, ${count} times)<br />${shown(detail)}${locked}`,
    html`${subject.kind} ${shown(subject.name)}<br /><code>${shown(call)}</code>`,
    shown(entry.hypothesis ?? rule?.hypothesis ?? ''),
    shown(entry.next_step ?? rule?.nextStep ?? ''),
  ])
}

function lockRow({ lock, last, set, end, untilMs, entries }: LockHistory): Html {
  const lapsed = Number.isFinite(untilMs) ? `${new Date(untilMs).toISOString()}, by itself` : 'in force'
  const requests = entries.filter(({ state }) => state === 'release_requested')
  return cells([
    html`<code>${shown(lock)}</code>`,
    html`${shown(last.scope)}${last.writes_only ? ', changes alone' : ''}`,
    set === undefined ? 'in a log that is not here' : lockMoment(set),
    end === undefined ? lapsed : lockMoment(end),
    requests.map((each) => html`${lockMoment(each)}<br />`),
  ])
}

function lockMoment({ by, reason, time }: LockHistory['last']): Html {
  return html`${time}<br />${shown(nameOfActor(by))}: ${shown(reason)}`
}

function approvalRow(history: ApprovalHistory): Html {
  const { id, subject, requested, votes, refusedVotes, escalated, last, consumed, waitedMs } = history
  const { agent, call, groups, kind, needed, operation, principal, risk, task } = subject
  const used = consumed === undefined ? '' : html`<br />used by <code>${shown(consumed.call)}</code>`
  return cells([
    html`${requested?.time ?? 'in a log that is not here'}<br />${kind} <code>${shown(id)}</code>`,
    html`${shown(operation)}, risk ${risk}<br />${shown(agent)} for ${shown(principal)}, task
      ${shown(task)}<br /><code>${shown(call)}</code>`,
    html`${needed} of ${shown(groups.join(', '))}${escalated ? html`<br />escalated ${escalated.time}` : ''}`,
    html`${votes.map(voteLine)}${refusedVotes.map(voteLine)}`,
    html`${last.state} ${last.time}${used}`,
    waitedMs === undefined ? '' : `${(waitedMs / 1_000).toFixed(1)} s`,
  ])
}

function voteLine({ by, comment = '', detail = '', state, time, verdict }: ApprovalEntry): Html {
  const counted = state === 'voted' ? '' : html` (not counted: ${shown(detail)})`
  return html`${time} ${shown(nameOfActor(by))}: ${verdict ?? ''}${counted} ${shown(comment)}<br />`
}

/** Those of which the record says that nobody knows, then those of which it says nothing. */
function* inDoubt(index: AuditIndex, filter: CallFilter): Generator<FoundCall> {
  if (filter.outcome !== undefined) return
  yield* searchCalls(index, { ...filter, outcome: 'unknown' }, { order: 'oldest' })
  yield* searchCalls(index, { ...filter, outcome: 'open' }, { order: 'oldest' })
}

function doubtRow({ agent, call, operation, outcome, principal, timeMs }: FoundCall): Html {
  return cells([
    new Date(timeMs).toISOString(),
    html`<code>${shown(call)}</code>`,
    `${shown(agent)} for ${shown(principal)}`,
    shown(operation),
    outcome === 'unknown'
      ? 'its process died before it knew; the upstream may have acted'
      : 'no outcome on record: under way when this was written, or its process died',
  ])
}

function channelRow(index: AuditIndex, { at }: FoundEvent): Html | undefined {
  const entry = readIndexed(index, at)
  if (entry?.type !== 'channel') return undefined
  const { by, detail, result, time } = entry
  return cells([time, shown(nameOfActor(by)), shown(detail || 'a click'), result])
}

function cells(values: readonly (string | Html | readonly Html[])[]): Html {
  return html`<tr>
    ${values.map((value) => html`<td>${value}</td>`)}
  </tr> `
}

function shown(text: string): string {
  return printable(text, TEXT_LIMIT)
}
