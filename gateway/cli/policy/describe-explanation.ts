import type { ExplainedRule, Explanation } from '../../policy/authoring/explain.ts'
import type { RecordedCall } from '../../policy/authoring/recorded-call.ts'
import type { Colour, Paint } from './colours.ts'

/** An explanation for a person to read. */
export function describeExplanation(
  explanation: Explanation,
  call: RecordedCall | undefined,
  paint: Paint,
): string {
  const { fired, nearly, open, quiet } = explanation
  const section = (colour: Colour, title: string, lines: readonly string[]): string =>
    lines.length === 0 ? '' : `\n${paint(colour, title)}\n${lines.map((line) => `  ${line}\n`).join('')}`
  return [
    head(explanation, call, paint),
    section(
      'red',
      'fired',
      fired.map((rule) => `${line(rule, paint)}${rule.reported ? paint('yellow', '  reported only') : ''}`),
    ),
    section(
      'yellow',
      'nearly fired, but for one condition',
      nearly.flatMap((rule) => [
        line(rule, paint),
        ...rule.missing.map(
          ({ text, row }) => `        ${paint('dim', `line ${row}:`)} ${text.replace(/\s+/g, ' ')}`,
        ),
      ]),
    ),
    section(
      'yellow',
      'open: turn on what is not on record',
      open.map((rule) => `${line(rule, paint)}  ${paint('dim', rule.on.join(', '))}`),
    ),
    section('dim', 'quiet', quiet.length === 0 ? [] : [[...new Set(quiet.map(({ id }) => id))].join(' ')]),
    call === undefined ? '' : section('dim', 'not on record', [call.unknown.join(' ')]),
  ].join('')
}

function head({ decision, bundle }: Explanation, call: RecordedCall | undefined, paint: Paint): string {
  const policy = `policy    ${bundle.digest} (${bundle.revision})\n`
  if (call !== undefined) {
    const { id, received, input, policy: decidedBy } = call
    const other =
      decidedBy.digest === bundle.digest
        ? ''
        : `${paint('yellow', `decided by another policy: ${decidedBy.digest} (${decidedBy.revision}); below is what this one makes of it`)}\n`
    const what = `${input.operation.id} by ${input.agent.id} for ${input.principal.id}`
    const reported = call.reported.length === 0 ? '' : `reported  ${call.reported.join(', ')}\n`
    return `call      ${id} at ${received}\n          ${what}\nrecorded  ${recordedEffect(call)}\n${reported}${policy}${other}`
  }
  if (decision === undefined || 'refusal' in decision)
    return `decision  ${decision?.refusal ?? 'unknown'}\n${policy}`
  const codes = decision.reasons.map(({ code }) => code).join(', ')
  const reported = decision.reported.map(({ code }) => code).join(', ')
  const owed = decision.obligations.map(({ id, type }) => `${type} (${id})`).join(', ')
  return `decision  ${decision.allow ? 'allow' : `deny ${codes}`}\nrisk      ${decision.risk}\n${reported === '' ? '' : `reported  ${reported}\n`}${owed === '' ? '' : `owed      ${owed}\n`}${policy}`
}

/** What policy decided then, in the words of a case. */
function recordedEffect({ allowed, held, codes }: RecordedCall): string {
  if (held) return 'hold'
  return allowed ? 'allow' : `deny ${codes.join(', ')}`
}

function line({ id, title, set, code, file, row }: ExplainedRule, paint: Paint): string {
  const place = paint('dim', `${file}:${row}`)
  return `${id.padEnd(5)} ${set.padEnd(10)} ${code.padEnd(24)} ${title}${title === '' ? '' : '  '}${place}`
}
