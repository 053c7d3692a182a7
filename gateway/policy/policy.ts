import { readFile, stat } from 'node:fs/promises'
import type { VerificationConfig } from '../config/policy-config.ts'
import type { Clock } from '../lib/clock.ts'
import { fingerprintOf, watchFile } from '../lib/watch-file.ts'
import type { Verdict } from '../refusal.ts'
import { BUNDLE_LIMITS, openBundle } from './bundle.ts'
import { BundleError } from './bundle-error.ts'
import type { BundleProblem } from './bundle-error.ts'
import type { Decision } from './decision.ts'
import { createEvaluator } from './evaluator.ts'
import type { Evaluator, EvaluatorEvents } from './evaluator.ts'
import type { PolicyInput } from './input.ts'
import { compilePolicy } from './instance.ts'
import { selfTest } from './self-test.ts'
import { createBundleVerifier } from './signature.ts'

export interface PolicyOptions {
  readonly bundlePath: string
  /** Load the bundle again whenever the file changes. */
  readonly watch: boolean
  /** How the bundle is signed; a bundle that is signed is refused without. */
  readonly verification?: VerificationConfig | undefined
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
 * @throws ConfigError when the key that bundles are verified with cannot be used
 */
export async function createPolicy(options: PolicyOptions): Promise<Policy> {
  const { bundlePath, clock, onEvent } = options
  const counts = { failed: 0, recycled: 0 }
  const load = createLoad(options, counts)
  const seen = fingerprintOf(bundlePath)
  let live = await load(undefined)
  let rejected: PolicyStatus['rejected']

  const swap = async (): Promise<'activated' | 'unchanged' | 'rejected'> => {
    try {
      const before = live
      live = await load(live)
      rejected = undefined
      return live === before ? 'unchanged' : 'activated'
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
  const { watch, restatMs = 2000 } = options
  const watching = watch ? watchFile(bundlePath, () => void reload(), { seen, pollMs: restatMs }) : undefined

  return {
    decide: (input) => live.evaluator.decide(input),
    get digest() {
      return live.digest
    },
    get revision() {
      return live.revision
    },
    reload,
    status: () => statusOf(live, rejected, counts),
    async [Symbol.asyncDispose]() {
      watching?.[Symbol.dispose]()
      await swapping
    },
  }
}

interface Counts {
  failed: number
  recycled: number
}

function statusOf(live: Live, rejected: PolicyStatus['rejected'], counts: Counts): PolicyStatus {
  const { digest, revision, activatedAtMs, evaluator } = live
  return {
    digest,
    revision,
    activatedAtMs,
    rejected,
    instancesFailed: counts.failed,
    instancesRecycled: counts.recycled,
    memoryPages: evaluator.memoryPages(),
  }
}

/** Makes the function that turns the bundle file into a policy that may go live, or gives `current` back. */
function createLoad(options: PolicyOptions, counts: Counts): (current: Live | undefined) => Promise<Live> {
  const { bundlePath, verification, memoryLimitPages, clock, onEvent } = options
  const verify = verification && createBundleVerifier(verification, clock)
  const events: EvaluatorEvents = {
    onThrow: (cause) => {
      counts.failed += 1
      onEvent({ type: 'instance_failed', cause })
    },
    onRecycle: (memoryPages) => {
      counts.recycled += 1
      onEvent({ type: 'instance_recycled', memoryPages })
    },
  }
  return async (current) => {
    const startedMs = clock.monotonicMs()
    const bundle = await openBundle(await readBundle(bundlePath), { verify })
    if (bundle.digest === current?.digest) return current
    const evaluator = createEvaluator(await compilePolicy(bundle, memoryLimitPages), events)
    await selfTest(evaluator)
    const { digest, revision } = bundle
    onEvent({ type: 'activated', digest, revision, loadMs: clock.monotonicMs() - startedMs })
    return { digest, revision, activatedAtMs: clock.nowMs(), evaluator }
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
