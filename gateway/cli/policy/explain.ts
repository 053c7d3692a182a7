import { readFile } from 'node:fs/promises'
import { type PolicyFile, readPolicyFile } from '../../policy/authoring/policy-file.ts'
import { parseArgs } from 'node:util'
import { explainInput, explainRecorded, type Explanation } from '../../policy/authoring/explain.ts'
import { createTokenReader } from '../../policy/authoring/known-tokens.ts'
import { inputProblem, isPolicyInput } from '../../policy/authoring/parse-input.ts'
import { type RecordedCall, recordedCalls } from '../../policy/authoring/recorded-call.ts'
import { type Command, type Surroundings, UsageError } from '../command.ts'
import {
  openRecord,
  RECORD_OPTIONS,
  RECORD_USAGE,
  recordPlaces,
  type RecordValues,
} from '../audit/record-places.ts'
import { paintFor } from './colours.ts'
import { describeExplanation } from './describe-explanation.ts'
import { DATA_OPTION, DATA_USAGE, DEFAULT_BUNDLE, timeFrom } from './policy-files.ts'

const USAGE = `toolgate policy explain CALL-ID | FILE.json [--bundle FILE] [--data NAME=FILE]… [RECORD] [--json]

Says of one call which rules fired, which nearly did, and which stayed quiet. A rule nearly fires when all of its
conditions hold but one: that one is shown. A rule of a single condition fires or it does not.

A file holds version 1 of the input. The call of an id is taken from the record, with the exact input of its decision
where that has been kept. Where it has not, members that are not on record are listed, and rules that turn on them are
shown as open; --config then says which hours are business hours.

  --bundle FILE             the policy, with its Rego in it (the one that comes with the gateway)
${DATA_USAGE}${RECORD_USAGE}
Exit codes: 0 explained · 1 no such call on record, not decided by policy, or the bundle cannot be used · 2 wrong usage
`

interface Explained {
  readonly explanation: Explanation
  readonly call?: RecordedCall
}

export const explain: Command = {
  summary: 'say which rules fired and which nearly did',
  usage: USAGE,
  async run(args, surroundings) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        bundle: { type: 'string', default: DEFAULT_BUNDLE },
        ...DATA_OPTION,
        ...RECORD_OPTIONS,
        json: { type: 'boolean', default: false },
      },
    })
    const [subject, ...more] = positionals
    if (subject === undefined || more.length > 0)
      throw new UsageError('explain takes one call id, or one file')
    const bundle = await readPolicyFile(values.bundle, values.data)
    const explained = subject.endsWith('.json')
      ? { explanation: await explainInput(bundle, await readInput(subject)) }
      : await explainCall(bundle, subject, values, surroundings)
    surroundings.print(
      values.json
        ? `${JSON.stringify(asJson(explained), undefined, 2)}\n`
        : describeExplanation(explained.explanation, explained.call, paintFor(surroundings)),
    )
    return 0
  },
}

async function readInput(path: string) {
  let value: unknown
  try {
    value = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new Error(`${path} cannot be read as JSON`, { cause })
  }
  if (!isPolicyInput(value)) throw new Error(`${path} is not version 1 of the input: ${inputProblem(value)}`)
  return value
}

async function explainCall(
  bundle: PolicyFile,
  id: string,
  values: RecordValues,
  surroundings: Surroundings,
): Promise<Explained> {
  using record = await openRecord(recordPlaces(values, surroundings))
  const { places, disclosures } = record
  const readToken = await createTokenReader(places.audit, [bundle])
  const options = { timeOf: timeFrom(values.config, surroundings), readToken, disclosures }
  for await (const call of recordedCalls(places.audit, options)) {
    if (call.id === id) return { explanation: await explainRecorded(bundle, call), call }
  }
  throw new Error(`${id} is not in ${places.audit}, or policy did not decide it`)
}

function asJson({ explanation, call }: Explained): object {
  if (call === undefined) return explanation
  const { id, received, allowed, held, rules, codes, reported, policy, unknown } = call
  const effect = held ? 'hold' : allowed ? 'allow' : 'deny'
  const recorded = { id, received, effect, rules, codes, reported, policy }
  return {
    call: recorded,
    same_policy: policy.digest === explanation.bundle.digest,
    not_on_record: unknown,
    ...explanation,
  }
}
