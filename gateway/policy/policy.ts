import type { PolicyIsolation } from '../config/policy-config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Verdict } from '../refusal.ts'
import { createOrigin } from './bundles/bundle-origins.ts'
import type { OriginOptions } from './bundles/bundle-origins.ts'
import { BundleSet } from './bundles/bundle-set.ts'
import type { BundleSetEvents } from './bundles/bundle-set.ts'
import type { BundleProblem } from './bundles/bundle-error.ts'
import type { Taking } from './bundles/bundle-source.ts'
import type { Decision } from './decision.ts'
import type { Entrypoint, LogEntrypoint } from './evaluation/entrypoints.ts'
import type { EvaluationEvents } from './evaluation/evaluation.ts'
import { createEvaluator, createIsolatedEvaluator } from './evaluation/evaluator.ts'
import type { Evaluator } from './evaluation/evaluator.ts'
import type { PolicyInput } from './input.ts'
import type { SharedBundles } from './bundles/live-source.ts'
import { loadAside } from './evaluation/load-aside.ts'
import { digestOfAll, POLICY_BUNDLE } from './bundles/open-bundles.ts'
import type { BundlePart, BundleRevision } from './bundles/open-bundles.ts'
import { statusOf } from './policy-status.ts'
import type { EvaluationCounts, PolicyStatus } from './policy-status.ts'
import type { LogEvaluation } from './evaluation/read-results.ts'

export interface PolicyOptions extends OriginOptions {
  /** Bundles of data alone, by name, that are merged into that of the rules. */
  readonly data?: Readonly<Record<string, OriginOptions>>
  /** Load bundles again whenever there are others, and keep what services gave. */
  readonly watch: boolean
  /** 64 KiB pages that one instance may hold. */
  readonly memoryLimitPages: number
  /** Milliseconds that one evaluation may take; any by default. */
  readonly budgetMs?: number
  /** `worker` evaluates in a thread of its own, which is ended when the budget is exceeded; `none` by default. */
  readonly isolation?: PolicyIsolation
  readonly clock: Clock
  readonly onEvent: (event: PolicyEvent) => void
  /** How often files are looked at beside the notices of the file system; milliseconds. */
  readonly restatMs?: number
}

/**
 * What happens to a policy beside deciding; one log line and one metric each. `bundle` is the name of the one that it
 * happened to, `behind` how many are older than what their sources give, because that was refused.
 */
export type PolicyEvent =
  | {
      readonly type: 'activated'
      readonly digest: string
      readonly revision: string
      readonly bundles: readonly BundleRevision[]
      readonly behind: number
      readonly loadMs: number
    }
  | {
      readonly type: 'rejected'
      readonly bundle: string
      readonly problem: BundleProblem
      readonly error: Error
    }
  /** After a rejection, the live bundle turned out to be the newest after all. */
  | { readonly type: 'confirmed'; readonly bundle: string; readonly behind: number }
  | { readonly type: 'not_kept'; readonly bundle: string; readonly error: Error }
  | { readonly type: 'instance_failed'; readonly cause: unknown }
  | { readonly type: 'instance_recycled'; readonly memoryPages: number }
  | { readonly type: 'over_budget'; readonly elapsedMs: number }
  | { readonly type: 'thread_ended'; readonly cause: unknown }

export interface Policy extends AsyncDisposable, SharedBundles {
  /** A decision, or the refusal that stands in for one; never throws. */
  decide(input: PolicyInput): Verdict<Decision> | Promise<Verdict<Decision>>
  /** What the live bundle's rule says of an event of the decision log; never throws. */
  evaluateLog(entrypoint: LogEntrypoint, event: unknown): LogEvaluation | Promise<LogEvaluation>
  /** Entrypoints of the live bundle. */
  readonly entrypoints: ReadonlySet<Entrypoint>
  /** Names everything in force; `sha256:` and the hex digest of the live bundle file where there is one alone. */
  readonly digest: string
  /** Of the bundle with the rules. */
  readonly revision: string
  /** The one with the rules first, then by name. */
  readonly bundles: readonly BundleRevision[]
  /**
   * Loads the newest bundles beside the live policy and swaps them in. A bundle that fails any check leaves the live
   * one in place; the result says so.
   */
  reload(): Promise<Taking>
  status(): PolicyStatus
}

interface Live extends Disposable {
  readonly digest: string
  readonly revision: string
  readonly bundles: readonly BundleRevision[]
  readonly activatedAtMs: number
  readonly loadMs: number
  readonly evaluator: Evaluator
}

/**
 * Loads the bundles and keeps them current.
 *
 * @throws BundleError when the first bundles cannot be activated: there is no gateway without policy
 * @throws ConfigError when a key that bundles are verified with cannot be used
 */
export async function createPolicy(options: PolicyOptions): Promise<Policy> {
  const { clock, watch, onEvent } = options
  const counts = { failed: 0, recycled: 0 }
  const listeners = new Set<() => void>()
  const set = new BundleSet({
    origins: originsOf(options),
    activate: createActivate(options, counts),
    events: setEvents(onEvent, listeners),
    clock,
  })
  await set.start()
  if (watch) set.follow()
  const live = (): Live => {
    if (set.current === undefined) throw new TypeError('a set that started has something in force')
    return set.current
  }
  return {
    decide: (input) => live().evaluator.decide(input),
    evaluateLog: (entrypoint, event) => live().evaluator.evaluateLog(entrypoint, event),
    get entrypoints() {
      return live().evaluator.entrypoints
    },
    get digest() {
      return live().digest
    },
    get revision() {
      return live().revision
    },
    get bundles() {
      return live().bundles
    },
    reload: () => set.reload(),
    status: () => statusOf(live(), set.status(), counts),
    inForce: () => set.inForce(),
    onSwap(listener) {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
    [Symbol.asyncDispose]: () => set[Symbol.asyncDispose](),
  }
}

function originsOf(options: PolicyOptions) {
  const { watch, clock, restatMs, onEvent, data = {} } = options
  const context = {
    keep: watch ? ('always' as const) : ('reads' as const),
    clock,
    restatMs,
    onNotKept: (bundle: string, error: Error): void => onEvent({ type: 'not_kept', bundle, error }),
  }
  const named = Object.entries(data).sort(([left], [right]) => (left < right ? -1 : 1))
  return [
    createOrigin(POLICY_BUNDLE, options, context),
    ...named.map(([name, origin]) => createOrigin(name, origin, context)),
  ]
}

function setEvents(
  onEvent: PolicyOptions['onEvent'],
  listeners: ReadonlySet<() => void>,
): BundleSetEvents<Live> {
  return {
    onActivated({ digest, revision, bundles, loadMs }, behind) {
      onEvent({ type: 'activated', digest, revision, bundles, behind, loadMs })
      for (const listener of listeners) listener()
    },
    onRejected: (bundle, problem, error) => onEvent({ type: 'rejected', bundle, problem, error }),
    onConfirmed: (bundle, behind) => onEvent({ type: 'confirmed', bundle, behind }),
  }
}

/** The longest that a timer can be set to. */
const MOST_BUDGET_MS = 2_147_483_647

type Activate = (parts: readonly BundlePart[], current: Live | undefined) => Promise<Live>

/** Makes the function that turns bundles into a policy that may go live, or gives `current` back. */
function createActivate(options: PolicyOptions, counts: EvaluationCounts): Activate {
  const { memoryLimitPages, isolation, budgetMs = MOST_BUDGET_MS, clock, onEvent } = options
  const events: EvaluationEvents = {
    onThrow: (cause) => {
      counts.failed += 1
      onEvent({ type: 'instance_failed', cause })
    },
    onRecycle: (memoryPages) => {
      counts.recycled += 1
      onEvent({ type: 'instance_recycled', memoryPages })
    },
    onOverBudget: (elapsedMs) => onEvent({ type: 'over_budget', elapsedMs }),
    onThreadEnd: (cause) => onEvent({ type: 'thread_ended', cause }),
  }
  return async (parts, current) => {
    if (current !== undefined && digestOfAll(parts) === current.digest) return current
    const startedMs = clock.monotonicMs()
    const { compiled, ...loaded } = await loadAside({ parts, memoryLimitPages })
    const create = isolation === 'worker' ? createIsolatedEvaluator : createEvaluator
    const evaluator = await create(compiled, events, budgetMs)
    const loadMs = clock.monotonicMs() - startedMs
    const dispose = (): void => evaluator[Symbol.dispose]()
    return { ...loaded, activatedAtMs: clock.nowMs(), loadMs, evaluator, [Symbol.dispose]: dispose }
  }
}
