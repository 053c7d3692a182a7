import type { Decision } from '../decision.ts'
import type { PolicyInput } from '../input.ts'
import { sourcesInBundle } from './bundle-sources.ts'
import { evaluatorOf, type OpenedPolicy } from './evaluator-of.ts'
import type { PolicyFile } from './policy-file.ts'
import type { Condition, SetRule } from './parse-rules.ts'
import { type Holds, probeRules } from './probe-rules.ts'
import type { RecordedCall } from './recorded-call.ts'

export interface ExplainedRule {
  readonly id: string
  readonly title: string
  readonly set: string
  readonly code: string
  readonly file: string
  readonly row: number
}

export interface NearRule extends ExplainedRule {
  /** How many conditions the rule has. */
  readonly conditions: number
  /** Without any one of these, and with all its others, the rule would fire. */
  readonly missing: readonly Condition[]
}

export interface OpenRule extends ExplainedRule {
  /** Members of the input that it turns on and that nobody recorded. */
  readonly on: readonly string[]
}

export interface FiredRule extends ExplainedRule {
  /** In report mode: it fired and denied nothing. */
  readonly reported: boolean
}

export interface Explanation {
  readonly bundle: { readonly digest: string; readonly revision: string }
  /** What the bundle decides; absent where that would need what is not on record. */
  readonly decision?: Decision | { readonly refusal: string }
  readonly fired: readonly FiredRule[]
  readonly nearly: readonly NearRule[]
  /** Rules of which this input does not say whether they fire. */
  readonly open: readonly OpenRule[]
  readonly quiet: readonly ExplainedRule[]
}

/** Explains one input, all of which is known. */
export async function explainInput(bundle: PolicyFile, input: PolicyInput): Promise<Explanation> {
  const policy = await evaluatorOf(bundle)
  const verdict = policy.decide(input)
  const decision = verdict.ok ? verdict.value : { refusal: verdict.refusal.code }
  return { ...(await explainRules(bundle, policy, input, [])), decision }
}

/**
 * Explains a call from its record. What the record does not hold stays open, save for the denials: of these the
 * record says which there were, if this is the policy that decided.
 */
export async function explainRecorded(bundle: PolicyFile, call: RecordedCall): Promise<Explanation> {
  const policy = await evaluatorOf(bundle)
  const explanation = await explainRules(bundle, policy, call.input, call.unknown)
  if (policy.digest !== call.policy.digest) return explanation
  const isReported = ({ id }: ExplainedRule): boolean => call.reported.includes(id)
  const didFire = (rule: ExplainedRule): boolean => call.rules.includes(rule.id) || isReported(rule)
  const settled = explanation.open.filter(({ set }) => set === 'deny')
  const fired = [...explanation.fired, ...settled.filter(didFire).map(asRule)]
  return {
    ...explanation,
    fired: fired.map((rule) => ({ ...rule, reported: isReported(rule) })),
    open: explanation.open.filter(({ set }) => set !== 'deny'),
    quiet: [...explanation.quiet, ...settled.filter((rule) => !didFire(rule)).map(asRule)],
  }
}

async function explainRules(
  bundle: PolicyFile,
  policy: OpenedPolicy,
  input: PolicyInput,
  unknown: readonly string[],
): Promise<Explanation> {
  const { digest, revision } = policy
  const verdict = policy.decide(input)
  const reported = verdict.ok ? verdict.value.reported.map(({ rule }) => rule) : []
  const probed = await probeRules(sourcesInBundle(bundle), input, unknown)
  const that = (wanted: Holds['holds']) => probed.filter(({ whole }) => whole.holds === wanted)
  return {
    bundle: { digest, revision },
    fired: that(true).map(({ rule }) => ({ ...shown(rule), reported: reported.includes(rule.id) })),
    nearly: that(false)
      .filter(({ missing }) => missing.length > 0)
      // The more conditions hold, the nearer it was.
      .sort((one, other) => other.rule.conditions.length - one.rule.conditions.length)
      .map(({ rule, missing }) => ({
        ...shown(rule),
        conditions: rule.conditions.length,
        missing: missing.flatMap((each) => rule.conditions[each] ?? []),
      })),
    open: probed.flatMap(({ rule, whole }) =>
      whole.holds === 'depends' ? [{ ...shown(rule), on: whole.on }] : [],
    ),
    quiet: that(false)
      .filter(({ missing }) => missing.length === 0)
      .map(({ rule }) => shown(rule)),
  }
}

/** Without what only an open rule has. */
function asRule({ id, title, set, code, file, row }: ExplainedRule): ExplainedRule {
  return { id, title, set, code, file, row }
}

function shown({ id, title, set, code, file, row }: SetRule): ExplainedRule {
  return { id, title, set, code, file: file.replace(/^\//, ''), row }
}
