import { readFile, stat } from 'node:fs/promises'
import type { Verdict } from '../refusal.ts'
import type { Clock } from '../lib/clock.ts'
import { BUNDLE_LIMITS, openBundle } from './bundle.ts'
import { BundleError } from './bundle-error.ts'
import type { BundleProblem } from './bundle-error.ts'
import type { Decision } from './decision.ts'
import { createEvaluator } from './evaluator.ts'
import type { Evaluator, EvaluatorEvents } from './evaluator.ts'
import type { PolicyInput } from './input.ts'
import { compilePolicy } from './instance.ts'
import { selfTest } from './self-test.ts'
import { watchFile } from './watch-file.ts'

export interface PolicyOptions {
  readonly bundlePath: string
  /** Load the bundle again whenever the file changes. */
  readonly watch: boolean
  /** 64 KiB pages that one instance may hold. */
  readonly memoryLimitPages: number
  readonly clock: Clock
  readonly onEvent: (event: PolicyEvent) => void
  /** How often the file is looked at beside the notices of the file system; milliseconds. */
  readonly restatMs?: number
}

/** What happens to a policy beside deciding; one log line and one metric each. */
export type PolicyEvent =
  | {
      readonly type: 'activated'
      readonly digest: string
      readonly revision: string
      readonly loadMs: number
    }
  | { readonly type: 'rejected'; readonly problem: BundleProblem; readonly error: Error }
  | { readonly type: 'instance_failed'; readonly cause: unknown }
  | { readonly type: 'instance_recycled'; readonly memoryPages: number }

interface PolicyStatus {
  readonly digest: string
  readonly revision: string
  readonly activatedAtMs: number
  /** Why the newest bundle is not the live one; `undefined` when it is. */
  readonly rejected:
    { readonly atMs: number; readonly problem: BundleProblem; readonly message: string } | undefined
  readonly instancesFailed: number
  readonly instancesRecycled: number
  readonly memoryPages: number
}

export interface Policy extends AsyncDisposable {
  /** A decision, or the refusal that stands in for one; never throws. */
  decide(input: PolicyInput): Verdict<Decision>
  /** `sha256:` and the hex digest of the live bundle file. */
  readonly digest: string
  readonly revision: string
  /**
   * Loads the bundle file beside the live policy and swaps it in. A bundle that fails any check leaves the live
   * one in place; the result says so.
   */
  reload(): Promise<'activated' | 'unchanged' | 'rejected'>
  status(): PolicyStatus
}

interface Live {
  readonly digest: string
  readonly revision: string
  readonly activatedAtMs: number
  readonly evaluator: Evaluator
}

/**
 * Loads the bundle and keeps it current.
 *
 * @throws BundleError when the first bundle cannot be activated: there is no gateway without policy
 */
export async function createPolicy(options: PolicyOptions): Promise<Policy> {
  const { bundlePath, clock, onEvent } = options
  let instancesFailed = 0
  let instancesRecycled = 0
  let rejected: PolicyStatus['rejected']
  const events: EvaluatorEvents = {
    onThrow: (cause) => {
      instancesFailed += 1
      onEvent({ type: 'instance_failed', cause })
    },
    onRecycle: (memoryPages) => {
      instancesRecycled += 1
      onEvent({ type: 'instance_recycled', memoryPages })
    },
  }

  const load = async (current: Live | undefined): Promise<Live> => {
    const startedMs = clock.monotonicMs()
    const bundle = await openBundle(await readBundle(bundlePath))
    if (bundle.digest === current?.digest) return current
    const evaluator = createEvaluator(await compilePolicy(bundle, options.memoryLimitPages), events)
    await selfTest(evaluator)
    const { digest, revision } = bundle
    onEvent({ type: 'activated', digest, revision, loadMs: clock.monotonicMs() - startedMs })
    return { digest, revision, activatedAtMs: clock.nowMs(), evaluator }
  }

  let live = await load(undefined)

  const swap = async (): Promise<'activated' | 'unchanged' | 'rejected'> => {
    try {
      const next = await load(live)
      rejected = undefined
      if (next === live) return 'unchanged'
      live = next
      return 'activated'
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      const problem = thrown instanceof BundleError ? thrown.problem : 'unreadable'
      rejected = { atMs: clock.nowMs(), problem, message: error.message }
      onEvent({ type: 'rejected', problem, error })
      return 'rejected'
    }
  }

  // One at a time, in order: the last file to change is the last to be swapped in.
  let swapping: Promise<unknown> = Promise.resolve()
  const reload = (): ReturnType<typeof swap> => {
    const swapped = swapping.then(swap)
    swapping = swapped
    return swapped
  }
  const watching = options.watch
    ? watchFile(bundlePath, { restatMs: options.restatMs ?? 2000, onChange: () => void reload() })
    : undefined

  return {
    decide: (input) => live.evaluator.decide(input),
    get digest() {
      return live.digest
    },
    get revision() {
      return live.revision
    },
    reload,
    status: () => ({
      digest: live.digest,
      revision: live.revision,
      activatedAtMs: live.activatedAtMs,
      rejected,
      instancesFailed,
      instancesRecycled,
      memoryPages: live.evaluator.memoryPages(),
    }),
    async [Symbol.asyncDispose]() {
      watching?.[Symbol.dispose]()
      await swapping
    },
  }
}

async function readBundle(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path)
    if (size > BUNDLE_LIMITS.maxCompressedBytes) {
      throw new BundleError('archive', `${path} is larger than ${BUNDLE_LIMITS.maxCompressedBytes} bytes`)
    }
    return await readFile(path)
  } catch (cause) {
    if (cause instanceof BundleError) throw cause
    throw new BundleError('unreadable', `${path} cannot be read`, { cause })
  }
}
