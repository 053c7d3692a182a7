import { printable } from '../../lib/scrub.ts'
import { type CallRecord, mainEntry } from '../call-record.ts'
import type { ConfigEntry, DetectionEntry, PolicyEntry } from '../change-entry.ts'
import type { FoundCall } from '../index/search-calls.ts'
import { Html, html } from './html.ts'

/** Nothing is loaded and nothing runs: the page shows what somebody may have written to do harm. */
const CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

const STYLE_SHEET = new Html(`
body { font: 10pt/1.4 system-ui, sans-serif; color: #111; margin: 2em auto; max-width: 60em; padding: 0 1em }
h1 { font-size: 16pt } h2 { font-size: 12pt; margin-top: 2em }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; vertical-align: top; padding: .25em .5em; border-bottom: 1px solid #ccc }
th { font-weight: 600 } td { overflow-wrap: anywhere } thead { display: table-header-group } tr { break-inside: avoid }
.deny { color: #a00 } .hold { color: #960 } code { font-size: 9pt }
@page { margin: 15mm } @media print { body { margin: 0; max-width: none } }`)

/** Where the rows go. No text can be it: text has no angle brackets by the time it is here. */
const ROWS = new Html('<!-- rows -->')

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
  /** Configurations and bundles that came into force or were turned down in the period. */
  readonly changes: readonly (ConfigEntry | PolicyEntry)[]
}

/** The page before and after the rows of its calls. */
export function reportFrame({ title, scope, totals, changes }: ReportHead): { head: string; tail: string } {
  const counts = (name: string, found: ReadonlyMap<string, number>): Html =>
    html` <h2>${name}</h2>
      <table>
        <tbody>
          ${[...found]
            .sort(([, one], [, other]) => other - one)
            .map(
              ([text, count]) =>
                html`<tr>
                  <td>${shown(text)}</td>
                  <td>${count}</td>
                </tr>`,
            )}
        </tbody>
      </table>`
  const [head = '', tail = ''] = html`<!doctype html>
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
          ${scope.map((line) => html`${line}<br />`)}${totals.calls} calls. What is here was read from the
          record; whether that is whole and unchanged is shown by <code>toolgate audit verify</code>, not by
          this page.
        </p>
        ${counts('Decisions', totals.byDecision)}${counts('Outcomes', totals.byOutcome)}${counts('Operations', totals.byOperation)}${counts('Agents', totals.byAgent)}
        <h2>What was in force</h2>
        <table>
          <thead>
            <tr>
              <th>since</th>
              <th>what</th>
              <th>digest</th>
            </tr>
          </thead>
          <tbody>
            ${changes.map(changeRow)}
          </tbody>
        </table>
        <h2>Calls, and what was detected in them</h2>
        <table>
          <thead>
            <tr>
              <th>time</th>
              <th>call</th>
              <th>who</th>
              <th>what</th>
              <th>decision</th>
              <th>outcome</th>
            </tr>
          </thead>
          <tbody>
            ${ROWS}
          </tbody>
        </table>
      </body>
    </html> `.text.split(ROWS.text)
  return { head, tail }
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

/** A detection between the calls, as a row of the same table. */
export function reportDetection(entry: DetectionEntry): string {
  const { subject, lock, hypothesis = '', next_step: nextStep = '' } = entry
  return html`<tr>
    <td>${entry.time}</td>
    <td>
      detection <code>${shown(entry.id)}</code><br />last call
      <code>${shown(entry.last_call ?? 'none')}</code>
    </td>
    <td>${subject.kind} ${shown(subject.name)}</td>
    <td>${shown(entry.rule)} (${entry.count})<br />${shown(entry.detail)}</td>
    <td class="deny">${entry.severity}<br />${shown(hypothesis)}<br />${shown(nextStep)}</td>
    <td>${lock === undefined ? '' : `lock ${shown(lock.id)} on ${shown(lock.scope)}`}</td>
  </tr> `.text
}

function changeRow(entry: ConfigEntry | PolicyEntry): Html {
  const { time, type, state, digest = '', detail = '' } = entry
  const policy =
    entry.type === 'config' && entry.policy ? html`<br />bundle <code>${entry.policy.digest}</code>` : ''
  return html`<tr>
    <td>${time}</td>
    <td>${type === 'config' ? 'configuration' : 'bundle'} ${state} ${shown(detail)}</td>
    <td><code>${digest}</code>${policy}</td>
  </tr>`
}

function shown(text: string): string {
  return printable(text, 2_048)
}
