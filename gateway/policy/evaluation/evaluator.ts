import { assertNever } from '../../lib/assert-never.ts'
import { pass, refuse } from '../../refusal.ts'
import type { Verdict } from '../../refusal.ts'
import { ENTRYPOINT } from '../bundles/bundle.ts'
import { BundleError } from '../bundles/bundle-error.ts'
import type { Decision } from '../decision.ts'
import type { Entrypoint, LogEntrypoint } from './entrypoints.ts'
import { createEvaluation } from './evaluation.ts'
import type { Evaluated, EvaluationEvents } from './evaluation.ts'
import type { PolicyInput } from '../input.ts'
import type { CompiledPolicy } from './instance.ts'
import { createIsolatedEvaluation } from './isolated-evaluation.ts'
import { createDecisionReader, readLogEvaluation } from './read-results.ts'
import type { LogEvaluation } from './read-results.ts'
import { createEventSerializer, EVENT_BOUNDS, INPUT_BOUNDS, serializeInput } from './serialize-input.ts'

/** Evaluates one compiled policy. */
export interface Evaluator extends Disposable {
  readonly entrypoints: ReadonlySet<Entrypoint>
  /** A decision, or the refusal that stands in for one. Never throws, never allows without a well-formed allow. */
  decide(input: PolicyInput): Verdict<Decision> | Promise<Verdict<Decision>>
  /** Never throws. An entrypoint that the policy does not have is undefined, as it would be to OPA. */
  evaluateLog(entrypoint: LogEntrypoint, event: unknown): LogEvaluation | Promise<LogEvaluation>
  /** 64 KiB pages held; 0 while there is no instance. */
  memoryPages(): number
}

/** Evaluates in the thread that asks, which waits: no promise where none is needed. */
export interface LocalEvaluator extends Evaluator {
  decide(input: PolicyInput): Verdict<Decision>
  evaluateLog(entrypoint: LogEntrypoint, event: unknown): LogEvaluation
}

/** Evaluates in a thread of its own. */
interface IsolatedEvaluator extends Evaluator {
  decide(input: PolicyInput): Promise<Verdict<Decision>>
  evaluateLog(entrypoint: LogEntrypoint, event: unknown): Promise<LogEvaluation>
}

/** @throws BundleError or RangeError when no first instance can be made */
export async function createEvaluator(
  compiled: CompiledPolicy,
  events: EvaluationEvents = NO_EVENTS,
  budgetMs = Infinity,
): Promise<LocalEvaluator> {
  const evaluation = await createEvaluation(compiled, { events, budgetMs, standby: true })
  const { entrypoints, decisionId, verdictOf } = reading(compiled)
  const serializeEvent = createEventSerializer()
  return {
    entrypoints: new Set(entrypoints.keys()),
    decide: (input) =>
      verdictOf(evaluation.run(decisionId, serializeInput(input, INPUT_BOUNDS), INPUT_BOUNDS.maxBytes)),
    evaluateLog(entrypoint, event) {
      const id = entrypoints.get(entrypoint)
      if (id === undefined) return { defined: false }
      return logEvaluationOf(evaluation.run(id, serializeEvent(event), EVENT_BOUNDS.maxBytes))
    },
    memoryPages: evaluation.memoryPages,
    [Symbol.dispose]: evaluation[Symbol.dispose],
  }
}

/**
 * The same in a thread of its own, which is ended when an evaluation takes longer than `budgetMs`.
 *
 * @throws Error when no first thread can be started
 */
export async function createIsolatedEvaluator(
  compiled: CompiledPolicy,
  events: EvaluationEvents,
  budgetMs: number,
): Promise<IsolatedEvaluator> {
  const evaluation = await createIsolatedEvaluation(compiled, { events, budgetMs })
  const { entrypoints, decisionId, verdictOf } = reading(compiled)
  const serializeEvent = createEventSerializer()
  return {
    entrypoints: new Set(entrypoints.keys()),
    decide(input) {
      const serialized = serializeInput(input, INPUT_BOUNDS)
      return evaluation.run(decisionId, serialized, INPUT_BOUNDS.maxBytes).then(verdictOf)
    },
    async evaluateLog(entrypoint, event) {
      const id = entrypoints.get(entrypoint)
      if (id === undefined) return { defined: false }
      const serialized = serializeEvent(event)
      return logEvaluationOf(await evaluation.run(id, serialized, EVENT_BOUNDS.maxBytes))
    },
    memoryPages: () => evaluation.memoryPages(),
    [Symbol.dispose]: () => evaluation[Symbol.dispose](),
  }
}

const NO_EVENTS: EvaluationEvents = {
  onThrow: () => undefined,
  onRecycle: () => undefined,
  onOverBudget: () => undefined,
  onThreadEnd: () => undefined,
}

function reading({ entrypoints }: CompiledPolicy) {
  const decisionId = entrypoints.get(ENTRYPOINT)
  if (decisionId === undefined) throw new BundleError('entrypoint', `the policy has no ${ENTRYPOINT}`)
  const readDecision = createDecisionReader()
  const verdictOf = (evaluated: Evaluated): Verdict<Decision> => {
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
  }
  return { entrypoints, decisionId, verdictOf }
}

function logEvaluationOf(evaluated: Evaluated): LogEvaluation {
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
}
