import { parseArgs } from 'node:util'
import { readCases } from '../../policy/authoring/cases.ts'
import type { DifferenceKind } from '../../policy/difference.ts'
import { createRecordJudge, type Flip, flipOf } from '../../policy/authoring/diff-policies.ts'
import { evaluatorOf } from '../../policy/authoring/evaluator-of.ts'
import { type PolicyFile, readPolicyFile } from '../../policy/authoring/policy-file.ts'
import { createTokenReader } from '../../policy/authoring/known-tokens.ts'
import { recordedCalls } from '../../policy/authoring/recorded-call.ts'
import {
  openRecord,
  RECORD_OPTIONS,
  RECORD_USAGE,
  recordPlaces,
  type RecordValues,
} from '../audit/record-places.ts'
import { type Command, type Surroundings, UsageError } from '../command.ts'
import { type Paint, paintFor } from './colours.ts'
import { DATA_OPTION, DATA_USAGE, timeFrom } from './policy-files.ts'

const USAGE = `toolgate policy diff OLD NEW [--data NAME=FILE]… [--cases FOLDER] [--audit FOLDER] [RECORD] [--exit-code] [--json]

Lists what two bundles decide differently: calls that are denied now, that are allowed now, that get other reasons,
another risk or other obligations, that rules in report mode report, and errors. Decides every case, and with --audit every call on record.

A recorded call is decided on the exact input that it had, where that has been kept. It counts only where OLD decides
as the gateway did then, and where NEW reads nothing more that is not on record; the others are counted and left out.

What becomes of calls to come is told by the gateway itself, with NEW as policy.shadow.

  --cases FOLDER   tables of cases (policies-rego/cases)
  --exit-code      exit 1 when anything differs
${DATA_USAGE}  --new-data NAME=FILE      another one in its place for NEW
${RECORD_USAGE}
Exit codes: 0 compared · 1 a bundle cannot be used, or --exit-code and something differs · 2 wrong usage
`

interface Compared {
  readonly cases: number
  /** Recorded calls that count. */
  readonly calls: number
  /** Recorded calls that do not, by reason. */
  readonly leftOut: Readonly<Record<string, number>>
  readonly flips: readonly Flip[]
}

export const diff: Command = {
  summary: 'list what two bundles decide differently',
  usage: USAGE,
  async run(args, surroundings) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        cases: { type: 'string', default: 'policies-rego/cases' },
        ...DATA_OPTION,
        'new-data': { type: 'string', multiple: true, default: [] },
        ...RECORD_OPTIONS,
        'exit-code': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    })
    const [before, after, ...more] = positionals
    if (before === undefined || after === undefined || more.length > 0)
      throw new UsageError('diff takes two bundles, the old one first')
    const bundles = {
      before: await readPolicyFile(before, values.data),
      after: await readPolicyFile(after, [...values.data, ...values['new-data']]),
    }
    const compared = await compare(bundles, values, surroundings)
    surroundings.print(
      values.json
        ? `${JSON.stringify(asJson(compared), undefined, 2)}\n`
        : describe(compared, paintFor(surroundings)),
    )
    return values['exit-code'] && compared.flips.length > 0 ? 1 : 0
  },
}

async function compare(
  bundles: { readonly before: PolicyFile; readonly after: PolicyFile },
  values: RecordValues & { readonly cases: string },
  surroundings: Surroundings,
): Promise<Compared> {
  const [before, after] = [await evaluatorOf(bundles.before), await evaluatorOf(bundles.after)]
  const cases = await readCases(values.cases)
  if (cases.length === 0 && values.audit === undefined)
    throw new Error(`there are no cases in ${values.cases} to compare by: name their folder with --cases`)
  const flips = cases.flatMap((each) => flipOf(before, after, each) ?? [])
  if (values.audit === undefined) return { cases: cases.length, calls: 0, leftOut: {}, flips }
  const judge = await createRecordJudge(before, bundles)
  using record = await openRecord(recordPlaces(values, surroundings))
  const { places, disclosures } = record
  const readToken = await createTokenReader(places.audit, [bundles.before, bundles.after])
  const options = { timeOf: timeFrom(values.config, surroundings), readToken, disclosures }
  const leftOut: Record<string, number> = {}
  let calls = 0
  for await (const call of recordedCalls(places.audit, options)) {
    const reason = judge(call)
    if (reason !== undefined) {
      leftOut[reason] = (leftOut[reason] ?? 0) + 1
      continue
    }
    calls += 1
    const { id, input } = call
    const flip = flipOf(before, after, { id, input, title: `${input.agent.id}: ${input.operation.id}` })
    if (flip !== undefined) flips.push(flip)
  }
  return { cases: cases.length, calls, leftOut, flips }
}

const KINDS: readonly (readonly [DifferenceKind, string])[] = [
  ['error', 'errors'],
  ['allow to deny', 'allow → deny'],
  ['deny to allow', 'deny → allow'],
  ['changed', 'other reasons, risk or obligations'],
]

function asJson({ cases, calls, leftOut, flips }: Compared): object {
  return { cases, recorded_calls: calls, recorded_calls_left_out: leftOut, flips }
}

function describe({ cases, calls, leftOut, flips }: Compared, paint: Paint): string {
  const sections = KINDS.flatMap(([kind, title]) => {
    const found = flips.filter((flip) => flip.kind === kind)
    if (found.length === 0) return []
    return [
      `${paint('bold', `${title}: ${found.length}`)}\n${found.map((flip) => describeFlip(flip, paint)).join('')}\n`,
    ]
  })
  const omitted = Object.entries(leftOut).map(([reason, count]) => `, ${count} left out (${reason})`)
  const looked = `${cases} cases, ${calls} recorded calls${omitted.join('')}: ${flips.length} decided differently\n`
  return `${sections.join('')}${looked}`
}

function describeFlip({ id, title, before, after }: Flip, paint: Paint): string {
  const shown = ({ effect, reasons, reported, risk, obligations }: Flip['before']): string =>
    [
      effect,
      ...(risk === undefined ? [] : [`risk ${risk}`]),
      ...reasons,
      ...reported.map((reason) => `reports ${reason}`),
      ...obligations.map(
        ({ id: name, type, properties }) => `${type} (${name}) ${JSON.stringify(properties)}`,
      ),
    ].join(', ')
  return `  ${id}  ${title}\n    ${paint('red', `- ${shown(before)}`)}\n    ${paint('green', `+ ${shown(after)}`)}\n`
}
