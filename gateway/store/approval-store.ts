import type { Approval, ApprovalId, ApprovalKind, ApprovalState } from '../approvals/approval.ts'

/** What a transition makes of an approval: the next one to keep, or nothing to change; and an answer for who asked. */
export interface Change<T> {
  readonly next: Approval | undefined
  readonly answer: T
}

export type Transition<T> = (approval: Approval, nowMs: number) => Change<T>

/** An approval as the store has it, and the time of the store. */
export interface Reading {
  readonly approval: Approval
  readonly nowMs: number
}

export interface PendingBounds {
  /** Of one kind, of one agent. */
  readonly perAgent: number
  readonly overall: number
}

export type Requested =
  | { readonly kind: 'made'; readonly approval: Approval }
  /** One is open for the very same call, as the store has it: `settle` may find that its time is over. */
  | { readonly kind: 'known'; readonly approval: Approval; readonly nowMs: number }
  /** So many are pending already that no further one is taken. */
  | { readonly kind: 'full'; readonly bound: keyof PendingBounds }

/** How many people are waited for, and since when; `oldestMs` is the age of the oldest, 0 where there is none. */
export interface PendingCount {
  readonly count: number
  readonly oldestMs: number
}

/**
 * Whether a change has to survive the loss of the primary, where the store has replicas: `required` is not even tried when
 * there is nobody who could witness it, and rejects with {@link Unwitnessed} when nobody did; `sought` holds either way.
 */
export type Witness = 'none' | 'sought' | 'required'

/** Too few replicas could witness a change, or have: after a failover it may not have been made. */
export class Unwitnessed extends Error {
  /** Whether it was made nevertheless, as far as the primary knows. */
  readonly kept: boolean

  constructor(kept: boolean) {
    super(kept ? 'too few replicas have the change' : 'too few replicas are attached')
    this.name = 'Unwitnessed'
    this.kept = kept
  }
}

/**
 * Keeps approvals. It knows no rule about them: every transition is a pure function that the store applies to what it
 * has, atomically, as often as it takes (compare and set). So both adapters behave alike because there is one machine.
 *
 * Each time that a transition is given is that of the store, so that gateways whose clocks differ agree on what has expired.
 * Every method rejects when the store cannot say.
 */
export interface ApprovalStore extends AsyncDisposable {
  /** Keeps what `make` makes, unless one with the same `openKey` is open, or too many of the same `pendingKey` are pending. */
  request(
    wanted: {
      readonly openKey: string
      readonly pendingKey: string
      readonly make: (nowMs: number) => Approval
    },
    bounds: PendingBounds,
  ): Promise<Requested>
  get(id: ApprovalId): Promise<Reading | undefined>
  /** Newest first. */
  list(filter: {
    readonly states: readonly ApprovalState[]
    readonly limit: number
  }): Promise<readonly Reading[]>
  /** Answers `undefined` for an id that it does not know. */
  change<T>(
    id: ApprovalId,
    transition: Transition<T>,
    options?: { readonly witness?: Witness },
  ): Promise<T | undefined>
  /** Those that time alone has changed by now; the longest due first. */
  due(limit: number): Promise<readonly ApprovalId[]>
  pending(): Promise<Readonly<Record<ApprovalKind, PendingCount>>>
  /** Forgets those that are over: for longer than `keptMs`, and the oldest beyond `keptCount`. Answers how many. */
  prune(kept: { readonly keptMs: number; readonly keptCount: number }): Promise<number>
  /**
   * Called, soon, after any gateway changed it; returns how to stop. Once it is no longer pending that is promised, within
   * seven seconds where word of it was lost. Nothing is promised while the store is away: ask again after a read that failed.
   */
  watch(id: ApprovalId, onChange: () => void): () => void
}
