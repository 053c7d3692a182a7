import { pass, refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'
import { assertNever } from '../lib/assert-never.ts'
import { ENTRYPOINT } from './bundle.ts'
import type { Decision } from './decision.ts'
import type { Entrypoint, LogEntrypoint } from './entrypoints.ts'
import type { PolicyInput } from './input.ts'
import { BundleError } from './bundle-error.ts'
import { createEvaluation } from './evaluation.ts'
import type { EvaluationEvents } from './evaluation.ts'
import type { CompiledPolicy } from './instance.ts'
import { createDecisionReader, readLogEvaluation } from './read-results.ts'
import type { LogEvaluation } from './read-results.ts'
import { EVENT_BOUNDS, INPUT_BOUNDS, serializeEvent, serializeInput } from './serialize-input.ts'
import type { InputBounds } from './serialize-input.ts'

/** Evaluates one compiled policy, on one instance at a time, which it replaces whenever it cannot be trusted. */
export interface Evaluator {
  readonly entrypoints: ReadonlySet<Entrypoint>
  /** A decision, or the refusal that stands in for one. Never throws, never allows without a well-formed allow. */
  decide(input: PolicyInput): Verdict<Decision>
  /** Never throws. An entrypoint that the policy does not have is undefined, as it would be to OPA. */
  evaluateLog(entrypoint: LogEntrypoint, event: unknown): LogEvaluation
  /** 64 KiB pages held; 0 while there is no instance. */
  memoryPages(): number
}

/** @throws BundleError when no first instance can be made */
export async function createEvaluator(
  compiled: CompiledPolicy,
  events: EvaluationEvents,
  bounds: InputBounds = INPUT_BOUNDS,
): Promise<Evaluator> {
  const { entrypoints } = compiled
  const decisionId = entrypoints.get(ENTRYPOINT)
  if (decisionId === undefined) throw new BundleError('entrypoint', `the policy has no ${ENTRYPOINT}`)
  const evaluation = await createEvaluation(compiled, events)
  const readDecision = createDecisionReader()

  return {
    entrypoints: new Set(entrypoints.keys()),
    decide(input) {
      const evaluated = evaluation.run(decisionId, serializeInput(input, bounds), bounds.maxBytes)
      switch (evaluated.kind) {
        case 'unfit':
          return refuse('policy.input_invalid', { detail: evaluated.problem })
        case 'threw':
          return refuse('policy.error', { cause: evaluated.cause })
        case 'unavailable':
          return refuse('policy.unavailable')
        case 'results': {
          const parsed = readDecision(evaluated.bytes)
          return parsed.ok ? pass(parsed.decision) : refuse('policy.invalid', { detail: parsed.problem })
        }
        default:
          return assertNever(evaluated)
      }
    },
    evaluateLog(entrypoint, event) {
      const id = entrypoints.get(entrypoint)
      if (id === undefined) return { defined: false }
      const evaluated = evaluation.run(id, serializeEvent(event, EVENT_BOUNDS), EVENT_BOUNDS.maxBytes)
      switch (evaluated.kind) {
        case 'unfit':
          return { failed: new Error(`the event is unfit for policy: ${evaluated.problem}`) }
        case 'threw':
          return { failed: evaluated.cause }
        case 'unavailable':
          return { failed: new Error('there is no instance of the policy') }
        case 'results':
          return readLogEvaluation(evaluated.bytes)
        default:
          return assertNever(evaluated)
      }
    },
    memoryPages: evaluation.memoryPages,
  }
}
