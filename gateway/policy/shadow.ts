import type { Clock } from '../lib/clock.ts'
import { createOrigin } from './bundles/bundle-origins.ts'
import type { OriginOptions } from './bundles/bundle-origins.ts'
import type { BundleProblem } from './bundles/bundle-error.ts'
import { BundleSet } from './bundles/bundle-set.ts'
import type { BundleOrigin, SlotStatus } from './bundles/bundle-slot.ts'
import type { Taking } from './bundles/bundle-source.ts'
import { createIsolatedEvaluator } from './evaluation/evaluator.ts'
import type { Evaluator } from './evaluation/evaluator.ts'
import { createLiveSource } from './bundles/live-source.ts'
import type { SharedBundles } from './bundles/live-source.ts'
import { loadInThread } from './evaluation/load-aside.ts'
import { digestOfAll, POLICY_BUNDLE } from './bundles/open-bundles.ts'
import type { BundlePart, BundleRevision } from './bundles/open-bundles.ts'
import { firstRejection } from './policy-status.ts'
import type { BundleRejection } from './policy-status.ts'
import { shadowDifference } from './shadow-difference.ts'
import type { ShadowDifference, ShadowResult, ShadowVerdict } from './shadow-difference.ts'
import { ShadowQueue } from './shadow-queue.ts'
import type { DecidedCall } from './shadow-queue.ts'

export type ShadowEvent =
  | {
      readonly type: 'activated'
      readonly digest: string
      readonly revision: string
      readonly bundles: readonly BundleRevision[]
      readonly loadMs: number
    }
  | {
      readonly type: 'rejected'
      readonly bundle: string
      readonly problem: BundleProblem
      readonly error: Error
    }
  | { readonly type: 'decided'; readonly result: ShadowResult }
  | { readonly type: 'differed'; readonly difference: ShadowDifference }
  | { readonly type: 'thread_ended'; readonly cause: unknown }

export interface ShadowOptions {
  /** Of the bundle with the rules to try out. */
  readonly origin: OriginOptions
  /** The policy in force: bundles of data alone are those that it has. */
  readonly live: SharedBundles
  /** Share of the calls that are decided a second time; above 0, and 1 for all. */
  readonly sample: number
  /** Whether the file or service is looked at again. */
  readonly watch: boolean
  /** 64 KiB pages that one instance may hold. */
  readonly memoryLimitPages: number
  /** Milliseconds that one evaluation may take. */
  readonly budgetMs: number
  readonly clock: Clock
  readonly onEvent: (event: ShadowEvent) => void
  readonly restatMs?: number
}

interface ShadowStatus {
  /** `undefined` while no shadow is in force. */
  readonly digest: string | undefined
  readonly revision: string | undefined
  readonly bundles: readonly SlotStatus[]
  readonly rejected: BundleRejection | undefined
  readonly sample: number
  /** Calls that wait to be decided a second time. */
  readonly waiting: number
  readonly results: Readonly<Record<ShadowResult, number>>
}

interface Session extends Disposable {
  readonly digest: string
  readonly revision: string
  readonly bundles: readonly BundleRevision[]
  readonly loadMs: number
  readonly evaluator: Evaluator
}

/** Calls that may wait for the shadow; beyond, they are let go. An input may be 128 KiB. */
const QUEUE_LIMIT = 256

/**
 * A second policy that decides calls for information alone. Nothing that is wrong with its bundle keeps the gateway
 * from starting or deciding: it is reported, and the shadow before it stays, or there is none.
 */
export class Shadow implements AsyncDisposable {
  readonly #options: ShadowOptions
  readonly #set: BundleSet<Session>
  readonly #queue: ShadowQueue<Session>
  readonly #results: Record<ShadowResult, number>

  /**
   * Starts to load, and goes on when it is loaded.
   *
   * @throws ConfigError when the key that its bundle is verified with cannot be used
   */
  constructor(options: ShadowOptions) {
    const { clock, onEvent, watch } = options
    this.#options = options
    this.#results = { same: 0, allow_to_deny: 0, deny_to_allow: 0, changed: 0, error: 0, dropped: 0 }
    this.#set = new BundleSet<Session>({
      origins: originsOf(options),
      activate: createActivate(options),
      events: {
        onActivated: ({ digest, revision, bundles, loadMs }) =>
          onEvent({ type: 'activated', digest, revision, bundles, loadMs }),
        onRejected: (bundle, problem, error) => onEvent({ type: 'rejected', bundle, problem, error }),
        onConfirmed: () => undefined,
      },
      clock,
    })
    this.#queue = new ShadowQueue<Session>({
      limit: QUEUE_LIMIT,
      sample: options.sample,
      current: () => this.#set.current,
      decide: async ({ evaluator }, input) => evaluator.decide(input),
      onDecided: (call, verdict, { digest, revision }) => this.#compare(call, { verdict, digest, revision }),
      onDropped: () => this.#count('dropped'),
    })
    void this.#set.reload()
    if (watch) this.#set.follow()
  }

  /** `undefined` while none is in force. */
  get digest(): string | undefined {
    return this.#set.current?.digest
  }

  get revision(): string | undefined {
    return this.#set.current?.revision
  }

  /** Returns at once and never throws; the call is evaluated later, or let go. */
  observe(call: DecidedCall): void {
    // What no policy can be asked about is refused by either.
    if (!call.verdict.ok && call.verdict.refusal.code === 'policy.input_invalid') return
    this.#queue.push(call)
  }

  /** Asks for the newest bundle; resolves once it is in force or refused. */
  reload(): Promise<Taking> {
    return this.#set.reload()
  }

  status(): ShadowStatus {
    const bundles = this.#set.status()
    return {
      digest: this.digest,
      revision: this.revision,
      bundles,
      rejected: firstRejection(bundles),
      sample: this.#options.sample,
      waiting: this.#queue.length,
      results: { ...this.#results },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#queue[Symbol.dispose]()
    await this.#set[Symbol.asyncDispose]()
  }

  #compare(call: DecidedCall, shadow: ShadowVerdict): void {
    const { verdict } = shadow
    // It was replaced meanwhile, or its thread is starting anew: it was not asked.
    if (!verdict.ok && verdict.refusal.code === 'policy.unavailable') return this.#count('dropped')
    const difference = shadowDifference(call, shadow)
    this.#count(difference?.kind ?? 'same')
    if (difference !== undefined) this.#options.onEvent({ type: 'differed', difference })
  }

  #count(result: ShadowResult): void {
    this.#results[result] += 1
    this.#options.onEvent({ type: 'decided', result })
  }
}

/** The rules are its own; the data beside them is that of the live policy. */
function originsOf({ origin, live, clock, restatMs }: ShadowOptions): readonly BundleOrigin[] {
  // What is tried out is not worth keeping, and what the live policy kept is not the shadow's.
  const own = createOrigin(POLICY_BUNDLE, origin, {
    keep: 'never',
    clock,
    restatMs,
    onNotKept: () => undefined,
  })
  const shared = live.inForce().filter(({ name }) => name !== POLICY_BUNDLE)
  return [
    own,
    ...shared.map(({ name, verification, allowedRoots }) => {
      return { name, source: createLiveSource(live, name), verification, allowedRoots }
    }),
  ]
}

function createActivate({ memoryLimitPages, budgetMs, clock, onEvent }: ShadowOptions) {
  return async (parts: readonly BundlePart[], current: Session | undefined): Promise<Session> => {
    if (current !== undefined && digestOfAll(parts) === current.digest) return current
    const startedMs = clock.monotonicMs()
    const { compiled, ...loaded } = await loadInThread({ parts, memoryLimitPages })
    const events = {
      // What it could not decide is counted with its calls.
      onThrow: () => undefined,
      onRecycle: () => undefined,
      onOverBudget: () => undefined,
      onThreadEnd: (cause: unknown) => onEvent({ type: 'thread_ended', cause }),
    }
    const evaluator = await createIsolatedEvaluator(compiled, events, budgetMs)
    return {
      ...loaded,
      loadMs: clock.monotonicMs() - startedMs,
      evaluator,
      [Symbol.dispose]: () => evaluator[Symbol.dispose](),
    }
  }
}
