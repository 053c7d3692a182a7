import type { BundleServiceConfig, VerificationConfig } from '../config/policy-config.ts'
import { webcrypto } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import type { Verdict } from '../refusal.ts'
import { BundleError } from './bundle-error.ts'
import type { BundleProblem } from './bundle-error.ts'
import { createBundleService } from './bundle-service.ts'
import type { BundleSource, SourceStatus, Taking } from './bundle-source.ts'
import type { Decision } from './decision.ts'
import type { Entrypoint, LogEntrypoint } from './entrypoints.ts'
import type { EvaluationEvents } from './evaluation.ts'
import { createEvaluator } from './evaluator.ts'
import type { Evaluator } from './evaluator.ts'
import { createFileSource } from './file-source.ts'
import type { PolicyInput } from './input.ts'
import { loadAside } from './load-aside.ts'
import type { LogEvaluation } from './read-results.ts'
import { readVerificationKey } from './verification-key.ts'

export interface PolicyOptions {
  /** File that the bundle is in; not read where there is a `service`. */
  readonly bundlePath: string
  readonly service?: BundleServiceConfig | undefined
  /** Bearer token for the service, asked for at every request. */
  readonly serviceToken?: (() => string) | undefined
  /** Load the bundle again whenever there is another, and keep what a service gave. */
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
  /** After a rejection, the live bundle turned out to be the newest after all. */
  | { readonly type: 'confirmed' }
  | { readonly type: 'not_kept'; readonly error: Error }
  | { readonly type: 'instance_failed'; readonly cause: unknown }
  | { readonly type: 'instance_recycled'; readonly memoryPages: number }

interface PolicyStatus {
  readonly digest: string
  readonly revision: string
  readonly activatedAtMs: number
  readonly source: SourceStatus
  /** The live bundle is the one kept from an earlier run: its source has not confirmed it since the start. */
  readonly kept: boolean
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
  /** What the live bundle's rule says of an event of the decision log; never throws. */
  evaluateLog(entrypoint: LogEntrypoint, event: unknown): LogEvaluation | Promise<LogEvaluation>
  /** Entrypoints of the live bundle. */
  readonly entrypoints: ReadonlySet<Entrypoint>
  /** `sha256:` and the hex digest of the live bundle file. */
  readonly digest: string
  readonly revision: string
  /**
   * Loads the newest bundle beside the live policy and swaps it in. A bundle that fails any check leaves the live
   * one in place; the result says so.
   */
  reload(): Promise<Taking>
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
  const { clock, onEvent } = options
  const counts = { failed: 0, recycled: 0 }
  const activate = createActivate(options, counts)
  const source = createSource(options)
  let rejected: PolicyStatus['rejected']
  let closed = false

  const reject = (thrown: unknown): void => {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    const problem = thrown instanceof BundleError ? thrown.problem : 'unreadable'
    rejected = { atMs: clock.nowMs(), problem, message: error.message }
    onEvent({ type: 'rejected', problem, error })
  }
  let { live, kept } = await start(source, activate, reject)

  const swap = async (): Promise<Taking> => {
    try {
      const before = live
      const offered = await source.read()
      if (closed) return 'unchanged'
      if (offered !== undefined) live = await activate(offered.bytes, live)
      if (rejected !== undefined && live === before) onEvent({ type: 'confirmed' })
      rejected = undefined
      kept = false
      if (offered !== undefined) await source.taken(offered, live !== before)
      return live === before ? 'unchanged' : 'activated'
    } catch (thrown) {
      if (!closed) reject(thrown)
      return 'rejected'
    }
  }

  // One at a time, in order: the last bundle to be read is the last to be swapped in.
  let swapping: Promise<unknown> = Promise.resolve()
  const reload = (): ReturnType<typeof swap> => {
    const swapped = swapping.then(swap)
    swapping = swapped
    return swapped
  }
  if (options.watch) source.follow(reload)

  return {
    decide: (input) => live.evaluator.decide(input),
    evaluateLog: (entrypoint, event) => live.evaluator.evaluateLog(entrypoint, event),
    get entrypoints() {
      return live.evaluator.entrypoints
    },
    get digest() {
      return live.digest
    },
    get revision() {
      return live.revision
    },
    reload,
    status: () => ({ ...statusOf(live, counts), source: source.status(), kept, rejected }),
    async [Symbol.asyncDispose]() {
      closed = true
      source[Symbol.dispose]()
      await swapping
    },
  }
}

function createSource(options: PolicyOptions): BundleSource {
  const { bundlePath, service, serviceToken, watch, clock, onEvent, restatMs } = options
  if (service === undefined) return createFileSource({ path: bundlePath, clock, restatMs })
  const onNotKept = (error: Error): void => onEvent({ type: 'not_kept', error })
  return createBundleService({ config: service, token: serviceToken, clock, keep: watch, onNotKept })
}

/** The first policy: the newest bundle, or else the one that was kept when the gateway last ran. */
async function start(
  source: BundleSource,
  activate: Activate,
  reject: (thrown: unknown) => void,
): Promise<{ live: Live; kept: boolean }> {
  try {
    const offered = await source.read()
    if (offered === undefined) throw new BundleError('service', 'there is no bundle in force to go on with')
    const live = await activate(offered.bytes, undefined)
    await source.taken(offered, true)
    return { live, kept: false }
  } catch (thrown) {
    const bytes = await source.kept()
    if (bytes === undefined) throw thrown
    const live = await activate(bytes, undefined).catch((cause: unknown) => {
      throw unusable(thrown, cause)
    })
    reject(thrown)
    return { live, kept: true }
  }
}

/** Neither the newest bundle nor the kept one: whoever starts the gateway has to hear of both. */
function unusable(newest: unknown, cause: unknown): unknown {
  if (!(newest instanceof Error && cause instanceof BundleError)) return cause
  const message = `${newest.message}; the bundle kept from an earlier run is of no use either: ${cause.message}`
  return new BundleError(cause.problem, message, { cause })
}

interface Counts {
  failed: number
  recycled: number
}

function statusOf(live: Live, counts: Counts): Omit<PolicyStatus, 'source' | 'kept' | 'rejected'> {
  const { digest, revision, activatedAtMs, evaluator } = live
  return {
    digest,
    revision,
    activatedAtMs,
    instancesFailed: counts.failed,
    instancesRecycled: counts.recycled,
    memoryPages: evaluator.memoryPages(),
  }
}

type Activate = (bytes: Buffer, current: Live | undefined) => Promise<Live>

/** Makes the function that turns a bundle into a policy that may go live, or gives `current` back. */
function createActivate(options: PolicyOptions, counts: Counts): Activate {
  const { verification, memoryLimitPages, clock, onEvent } = options
  // A key that cannot be used keeps the gateway from starting, whatever the bundle.
  if (verification !== undefined) readVerificationKey(verification)
  const events: EvaluationEvents = {
    onThrow: (cause) => {
      counts.failed += 1
      onEvent({ type: 'instance_failed', cause })
    },
    onRecycle: (memoryPages) => {
      counts.recycled += 1
      onEvent({ type: 'instance_recycled', memoryPages })
    },
  }
  return async (bytes, current) => {
    const startedMs = clock.monotonicMs()
    if (current !== undefined && (await digestOf(bytes)) === current.digest) return current
    const request = { bytes, verification, nowMs: clock.nowMs(), memoryLimitPages }
    const { digest, revision, compiled } = await loadAside(request)
    const evaluator = await createEvaluator(compiled, events)
    onEvent({ type: 'activated', digest, revision, loadMs: clock.monotonicMs() - startedMs })
    return { digest, revision, activatedAtMs: clock.nowMs(), evaluator }
  }
}

/** In the thread pool: a large bundle would hold calls up. */
async function digestOf(bytes: Buffer): Promise<string> {
  const hash = Buffer.from(await webcrypto.subtle.digest('SHA-256', new Uint8Array(bytes)))
  return `sha256:${hash.toString('hex')}`
}
