import type { ExplainedRule, Explanation, NearRule } from '../../policy/authoring/explain.ts'
import type { RecordedCall } from '../../policy/authoring/recorded-call.ts'
import type { Colour, Paint } from './colours.ts'

/** An explanation for a person to read. */
export function describeExplanation(
  explanation: Explanation,
  call: RecordedCall | undefined,
  paint: Paint,
): string {
  const { fired, nearly, open, quiet } = explanation
  const [near, rest] = split(nearly)
  const section = (colour: Colour, title: string, lines: readonly string[]): string =>
    lines.length === 0 ? '' : `\n${paint(colour, title)}\n${lines.map((line) => `  ${line}\n`).join('')}`
  return [
    head(explanation, call, paint),
    section(
      'red',
      'fired',
      fired.map((rule) => `${line(rule, paint)}${rule.reported ? paint('yellow', '  reported only') : ''}`),
    ),
    section('yellow', 'nearly fired, but for one condition', [
      ...near.flatMap((rule) => describeNear(rule, paint)),
      ...describeRest(rest, paint),
    ]),
    section(
      'yellow',
      'open: turn on what is not on record',
      open.map((rule) => `${line(rule, paint)}  ${paint('dim', rule.on.join(', '))}`),
    ),
    section('dim', 'quiet', quiet.length === 0 ? [] : [[...new Set(quiet.map(({ id }) => id))].join(' ')]),
    section(
      'dim',
      'not on record',
      call === undefined || call.unknown.length === 0 ? [] : [call.unknown.join(' ')],
    ),
  ].join('')
}

/** More rules than this are not read one by one. */
const MOST_NEAR = 8

/** Of many rules those of two conditions say little: they are near whenever one of the two holds. */
function split(nearly: readonly NearRule[]): readonly [readonly NearRule[], readonly NearRule[]] {
  if (nearly.length <= MOST_NEAR) return [nearly, []]
  const isTelling = ({ conditions }: NearRule): boolean => conditions > 2
  return [nearly.filter(isTelling), nearly.filter((rule) => !isTelling(rule))]
}

function describeNear(rule: NearRule, paint: Paint): readonly string[] {
  const missing = rule.missing.map(
    ({ text, row }) => `        ${paint('dim', `line ${row}:`)} ${text.replace(/\s+/g, ' ')}`,
  )
  return [line(rule, paint), ...missing]
}

function describeRest(rest: readonly NearRule[], paint: Paint): readonly string[] {
  if (rest.length === 0) return []
  return [
    `${rest.map(({ id }) => id).join(' ')}  ${paint('dim', 'of two conditions each; --json has them all')}`,
  ]
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
  return `${id.padEnd(5)} ${set.padEnd(10)} ${code.padEnd(27)} ${title}${title === '' ? '' : '  '}${place}`
}
