import type { Rejection, SlotStatus } from './bundles/bundle-slot.ts'
import type { SourceStatus } from './bundles/bundle-source.ts'
import type { BundleRevision } from './bundles/open-bundles.ts'

/** One bundle of the policy in force, and how its source fares. */
export interface BundleStatus extends SlotStatus, BundleRevision {}

export interface PolicyStatus {
  readonly digest: string
  readonly revision: string
  readonly activatedAtMs: number
  /** How long it took to load what is in force. */
  readonly loadMs: number
  /** Of the bundle with the rules. */
  readonly source: SourceStatus
  /** A live bundle is one kept from an earlier run: its source has not confirmed it since the start. */
  readonly kept: boolean
  /** Why the newest of a bundle is not the live one; `undefined` when all of them are. */
  readonly rejected: (Rejection & { readonly bundle: string }) | undefined
  /** The one with the rules first, then by name. */
  readonly bundles: readonly BundleStatus[]
  readonly instancesFailed: number
  readonly instancesRecycled: number
  readonly memoryPages: number
}

/** What went wrong with evaluating, since the start. */
export interface EvaluationCounts {
  failed: number
  recycled: number
}

interface Activated {
  readonly digest: string
  readonly revision: string
  readonly bundles: readonly BundleRevision[]
  readonly activatedAtMs: number
  readonly loadMs: number
  readonly evaluator: { memoryPages(): number }
}

export function statusOf(
  live: Activated,
  slots: readonly SlotStatus[],
  counts: EvaluationCounts,
): PolicyStatus {
  const { digest, revision, activatedAtMs, loadMs, evaluator } = live
  const bundles = live.bundles.flatMap((bundle) =>
    slots.filter(({ name }) => name === bundle.name).map((slot) => ({ ...bundle, ...slot })),
  )
  const [rules] = slots
  if (rules === undefined) throw new TypeError('there is no policy without a bundle of rules')
  return {
    digest,
    revision,
    activatedAtMs,
    loadMs,
    source: rules.source,
    kept: slots.some(({ kept }) => kept),
    rejected: firstRejection(slots),
    bundles,
    instancesFailed: counts.failed,
    instancesRecycled: counts.recycled,
    memoryPages: evaluator.memoryPages(),
  }
}

export interface BundleRejection extends Rejection {
  readonly bundle: string
}

/** Why not every bundle is the newest; `undefined` when all of them are. */
export function firstRejection(slots: readonly SlotStatus[]): BundleRejection | undefined {
  const behind = slots.find(({ rejected }) => rejected !== undefined)
  return behind?.rejected && { ...behind.rejected, bundle: behind.name }
}
