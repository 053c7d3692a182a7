import { parseArgs } from 'node:util'
import { mainEntry, readCallRecord } from '../../audit/call-record.ts'
import { searchCalls } from '../../audit/index/search-calls.ts'
import { flipBetween, type FlipKind, madeAnew, recordedDecision } from '../../audit/replay.ts'
import { systemClock } from '../../lib/clock.ts'
import { evaluatorOf, type OpenedPolicy } from '../../policy/authoring/evaluator-of.ts'
import { readPolicyFile } from '../../policy/authoring/policy-file.ts'
import type { Command } from '../command.ts'
import { type Paint, paintFor } from '../policy/colours.ts'
import { DATA_OPTION, DATA_USAGE, DEFAULT_BUNDLE } from '../policy/policy-files.ts'
import { FILTER_OPTIONS, FILTER_USAGE, filterOf, type FilterValues } from './filter.ts'
import { openRecord, RECORD_OPTIONS, RECORD_USAGE, recordPlaces, type OpenRecord } from './record-places.ts'

const USAGE = `toolgate audit replay [--bundle FILE] [--data NAME=FILE]… [FILTER] [--exit-code] [RECORD] [--json]

Decides recorded calls again, each on the exact input that it had, through the gateway's own evaluator, and compares with
what is on record. Calls that this very bundle decided have to come out as they did: one that does not is named, and the
exit code is 1. For calls that another bundle decided, what differs is counted by operation and agent: what would have
happened, had this bundle been in force.

Calls whose input is not to be had (lost, erased, or its key is not here) are counted and left out.

  --bundle FILE             the policy (the one that comes with the gateway)
${DATA_USAGE}  --exit-code               exit 1 when anything differs
${FILTER_USAGE}${RECORD_USAGE}
Exit codes: 0 replayed · 1 this very bundle decides otherwise than it did, or --exit-code and something differs, or the
record or the bundle cannot be read · 2 wrong usage
`

/** Calls that differ in one way. */
interface Flips {
  readonly kind: FlipKind
  readonly operation: string
  readonly agent: string
  /** Decided by this very bundle, so that there should be none. */
  readonly same_bundle: boolean
  calls: number
  /** The first few. */
  readonly examples: string[]
}

interface Replayed {
  readonly policy: { readonly digest: string; readonly revision: string }
  calls: number
  equal: number
  /** Of the calls, those that this very bundle had decided. */
  same_bundle: number
  not_decided_by_policy: number
  /** By why their input is not to be had. */
  readonly left_out: Record<string, number>
  readonly flips: Flips[]
}

const EXAMPLES = 3

export const replay: Command = {
  summary: 'decide recorded calls again, and list what differs',
  usage: USAGE,
  async run(args, surroundings) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...FILTER_OPTIONS,
        ...RECORD_OPTIONS,
        ...DATA_OPTION,
        bundle: { type: 'string', default: DEFAULT_BUNDLE },
        'exit-code': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    })
    const policy = await evaluatorOf(await readPolicyFile(values.bundle, values.data))
    using record = await openRecord(recordPlaces(values, surroundings))
    const replayed = await replayAll(record, policy, values)
    surroundings.print(
      values.json
        ? `${JSON.stringify(replayed, undefined, 2)}\n`
        : describeReplayed(replayed, paintFor(surroundings)),
    )
    const broken = replayed.flips.some(({ same_bundle }) => same_bundle)
    return broken || (values['exit-code'] && replayed.flips.length > 0) ? 1 : 0
  },
}

async function replayAll(record: OpenRecord, policy: OpenedPolicy, values: FilterValues): Promise<Replayed> {
  const { digest, revision } = policy
  const replayed: Replayed = {
    policy: { digest, revision },
    calls: 0,
    equal: 0,
    same_bundle: 0,
    not_decided_by_policy: 0,
    left_out: {},
    flips: [],
  }
  const filter = await filterOf(values, record.places.audit, systemClock.nowMs())
  for (const found of searchCalls(record.index, filter, { order: 'oldest' })) {
    const call = await readCallRecord(record, found)
    const entry = mainEntry(call)
    const recorded = entry && recordedDecision(entry)
    if (entry === undefined || recorded === undefined) {
      replayed.not_decided_by_policy += 1
      continue
    }
    const input = await record.disclosures.inputOf(entry)
    if (input === undefined) {
      const { state } = call.disclosure
      replayed.left_out[state] = (replayed.left_out[state] ?? 0) + 1
      continue
    }
    const same = entry.policy?.digest === digest
    replayed.calls += 1
    if (same) replayed.same_bundle += 1
    const kind = flipBetween(recorded, madeAnew(policy.decide(input)))
    if (kind === undefined) replayed.equal += 1
    else
      addFlip(
        replayed.flips,
        { kind, operation: found.operation, agent: found.agent, same_bundle: same },
        found.call,
      )
  }
  replayed.flips.sort((one, other) => other.calls - one.calls)
  return replayed
}

function addFlip(flips: Flips[], flip: Omit<Flips, 'calls' | 'examples'>, call: string): void {
  let sum = flips.find(
    ({ kind, operation, agent, same_bundle }) =>
      kind === flip.kind &&
      operation === flip.operation &&
      agent === flip.agent &&
      same_bundle === flip.same_bundle,
  )
  if (sum === undefined) {
    sum = { ...flip, calls: 0, examples: [] }
    flips.push(sum)
  }
  sum.calls += 1
  if (sum.examples.length < EXAMPLES) sum.examples.push(call)
}

function describeReplayed(replayed: Replayed, paint: Paint): string {
  const { policy, calls, equal, same_bundle, not_decided_by_policy, left_out, flips } = replayed
  const rows = flips.map(
    ({ kind, operation, agent, calls: count, same_bundle: same, examples }) =>
      `${String(count).padStart(8)}  ${paint(same || kind === 'error' ? 'red' : 'yellow', kind.padEnd(14))}  ${operation.padEnd(36)}  ${agent}  ${paint('dim', examples.join(' '))}${same ? paint('red', '  decided otherwise by the same bundle') : ''}\n`,
  )
  const omitted = Object.entries(left_out).map(([state, count]) => `, ${count} left out (${state})`)
  return `${rows.join('')}policy    ${policy.digest} (${policy.revision})
replayed  ${calls} calls: ${equal} as on record, ${calls - equal} otherwise; ${same_bundle} had been decided by this very bundle
          ${not_decided_by_policy} calls not decided by policy${omitted.join('')}
`
}
