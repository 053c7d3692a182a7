import { printable } from '../../lib/scrub.ts'
import { type CallRecord, mainEntry } from '../call-record.ts'
import type { ConfigEntry, PolicyEntry, SigningKeyEntry, TokenKeyEntry } from '../change-entry.ts'
import type { FoundCall } from '../index/search-calls.ts'
import { Html, html } from './html.ts'
import type { SignedLog } from './signed-logs.ts'

/** Nothing is loaded and nothing runs: the page shows what somebody may have written to do harm. */
const CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

const STYLE_SHEET = new Html(`
body { font: 10pt/1.4 system-ui, sans-serif; color: #111; margin: 2em auto; max-width: 60em; padding: 0 1em }
h1 { font-size: 16pt } h2 { font-size: 12pt; margin-top: 2em }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; vertical-align: top; padding: .25em .5em; border-bottom: 1px solid #ccc }
th { font-weight: 600 } td { overflow-wrap: anywhere } thead { display: table-header-group } tr { break-inside: avoid }
.deny { color: #a00 } .hold { color: #960 } code { font-size: 9pt }
@page { margin: 15mm } @media print { body { margin: 0; max-width: none } }`)

/** Where more goes. No text can be it: text has no angle brackets by the time it is here. */
const MORE = new Html('<!-- more -->')

/** What a report says of all its calls; grows with the kinds of things that happened, not with the calls. */
export interface Totals {
  calls: number
  readonly byDecision: Map<string, number>
  readonly byOutcome: Map<string, number>
  readonly byOperation: Map<string, number>
  readonly byAgent: Map<string, number>
}

export function newTotals(): Totals {
  return { calls: 0, byDecision: new Map(), byOutcome: new Map(), byOperation: new Map(), byAgent: new Map() }
}

export function addToTotals(totals: Totals, { decision, outcome, operation, agent }: FoundCall): void {
  totals.calls += 1
  const count = (counts: Map<string, number>, name: string): void =>
    void counts.set(name, (counts.get(name) ?? 0) + 1)
  count(totals.byDecision, decision || 'unknown')
  count(totals.byOutcome, outcome || 'open')
  count(totals.byOperation, operation || 'none')
  count(totals.byAgent, agent || 'nobody proven')
}

export interface ReportHead {
  readonly title: string
  /** What was asked for, in words. */
  readonly scope: readonly string[]
  readonly totals: Totals
  /** What came into force or was turned down in the period. */
  readonly changes: readonly ChangeEntry[]
  /** What it was read from. */
  readonly logs: readonly SignedLog[]
  readonly writtenAt: string
}

export type ChangeEntry = ConfigEntry | PolicyEntry | SigningKeyEntry | TokenKeyEntry

interface ReportFrame {
  readonly head: string
  /** After what happened beside the calls, before their rows. */
  readonly calls: string
  readonly tail: string
}

export function reportFrame({ title, scope, totals, changes, logs, writtenAt }: ReportHead): ReportFrame {
  const [head = '', calls = '', tail = ''] = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${CONTENT_POLICY}" />
        <title>${title}</title>
        <style>
          ${STYLE_SHEET}
        </style>
      </head>
      <body>
        <h1>${title}</h1>
        <p>
          ${scope.map((line) => html`${line}<br />`)}${totals.calls} calls. Written ${writtenAt} from the
          record, which this page does not prove.
        </p>
        ${counts('Decisions', totals.byDecision)}${counts('Outcomes', totals.byOutcome)}${counts('Operations', totals.byOperation)}${counts('Agents', totals.byAgent)}
        <h2>What was in force</h2>
        ${table(['since', 'what', 'digest'], changes.map(changeRow))} ${verification(logs)}${MORE}
        <h2>Calls</h2>
        ${table(['time', 'call', 'who', 'what', 'decision', 'outcome'], MORE)}
      </body>
    </html> `.text.split(MORE.text)
  return { head, calls, tail }
}

function table(columns: readonly string[], rows: Html | readonly Html[]): Html {
  return html`<table>
    <thead>
      <tr>
        ${columns.map((column) => html`<th>${column}</th> `)}
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
}

/** What there was most of comes first. */
function counts(name: string, found: ReadonlyMap<string, number>): Html {
  const rows = [...found]
    .sort(([, one], [, other]) => other - one)
    .map(
      ([text, count]) =>
        html`<tr>
          <td>${shown(text)}</td>
          <td>${count}</td>
        </tr>`,
    )
  return html` <h2>${name}</h2>
    <table>
      <tbody>
        ${rows}
      </tbody>
    </table>`
}

export function reportRow(record: CallRecord): string {
  const { found, outcome, disclosure } = record
  const entry = mainEntry(record)
  const reasons = (entry?.reasons ?? []).map(
    ({ code, rule, detail }) => html`<br />${code} (${rule}) ${detail}`,
  )
  const declared = disclosure.values.get('input.declared')
  const said = declared === undefined ? '' : html`<br /><code>${shown(JSON.stringify(declared))}</code>`
  const { project = '', repository = '', channel = '', account = '' } = entry?.resource ?? {}
  const on = [project, repository, channel, account].filter(Boolean).join(', ')
  const risk = found.risk === undefined ? '' : `, risk ${found.risk}`
  return html`<tr>
    <td>${new Date(found.timeMs).toISOString()}</td>
    <td><code>${shown(found.call)}</code></td>
    <td>
      ${shown(found.agent || 'nobody proven')}<br />for ${shown(found.principal)}<br />task
      ${shown(found.task)}
    </td>
    <td>${shown(found.operation)}<br />${shown(on)}${said}</td>
    <td class="${found.decision === 'hold' ? 'hold' : found.decision === 'allow' ? 'allow' : 'deny'}">
      ${found.decision || 'unknown'}${risk}${reasons}
    </td>
    <td>${shown(found.outcome || 'open')} ${found.status || ''}<br />${outcome?.ms ?? ''} ms</td>
  </tr> `.text
}

/** What anybody can check, with what, and against which roots. */
function verification(logs: readonly SignedLog[]): Html {
  const rows = logs.map(
    ({ origin, size, root }) =>
      html`<tr>
        <td>${shown(origin)}</td>
        <td>${size}</td>
        <td><code>${root}</code></td>
      </tr>`,
  )
  return html` <h2>How to check this</h2>
    <p>
      The record is an append-only Merkle log for each process life, signed. Take a copy of it and the
      verifier key, which you should have by another way, and run
      <code>toolgate audit verify COPY --key KEY --complete</code>: it names every file and byte that is not
      as signed. One entry is proven alone by <code>toolgate audit prove ID</code> and
      <code>toolgate audit verify-proof FILE --key KEY</code>. When this was written the logs had been signed
      as follows; a copy that gives the same sizes and roots, or has grown from them, is the record that this
      page was made of.
    </p>
    ${table(['log', 'entries', 'root'], rows)}`
}

function changeRow(entry: ChangeEntry): Html {
  if (entry.type === 'key') return keyRow(entry)
  const { time, type, state, digest = '', detail = '' } = entry
  const policy =
    entry.type === 'config' && entry.policy ? html`<br />bundle <code>${entry.policy.digest}</code>` : ''
  return html`<tr>
    <td>${time}</td>
    <td>${type === 'config' ? 'configuration' : 'bundle'} ${state} ${shown(detail)}</td>
    <td><code>${digest}</code>${policy}</td>
  </tr>`
}

function keyRow(entry: SigningKeyEntry | TokenKeyEntry): Html {
  const { time, use, before, id } = entry
  const handed =
    use === 'token' ? '' : entry.note === '' ? ', without a handover' : ', handed over by the key before'
  return html`<tr>
    <td>${time}</td>
    <td>${use === 'token' ? 'key of tokens' : 'signing key'} changed${handed}</td>
    <td><code>${shown(id)}</code><br />before: <code>${shown(before)}</code></td>
  </tr>`
}

function shown(text: string): string {
  return printable(text, 2_048)
}
