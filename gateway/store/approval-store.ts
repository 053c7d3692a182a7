import type { Approval, ApprovalId, ApprovalState } from '../approvals/approval.ts'

/** What a transition makes of an approval: the next one to keep, or nothing to change; and an answer for who asked. */
export interface Change<T> {
  readonly next: Approval | undefined
  readonly answer: T
}

/**
 * Keeps approvals. It knows no rule about them: every transition is a pure function that the store applies to what it
 * has, atomically, as often as it takes (compare and set). So both adapters behave alike because there is one machine.
 */
export interface ApprovalStore {
  /** Keeps a new one, unless one with the same binding is pending or approved already: then that one is returned. */
  request(made: Approval): Promise<Approval>
  get(id: ApprovalId): Promise<Approval | undefined>
  /** Newest first. */
  list(filter: {
    readonly states: readonly ApprovalState[]
    readonly limit: number
  }): Promise<readonly Approval[]>
  /**
   * `transition` is given the time of the store, so that gateways whose clocks differ agree on what has expired. Answers
   * `undefined` for an id that it does not know. With `witnessed` it resolves only once a replica has it, too, where
   * there is to be one; it rejects when the store cannot say whether the change holds.
   */
  change<T>(
    id: ApprovalId,
    transition: (approval: Approval, nowMs: number) => Change<T>,
    options?: { readonly witnessed?: boolean },
  ): Promise<T | undefined>
  /** Ids of those that escalate or expire before `nowMs` and have not yet. */
  due(nowMs: number, limit: number): Promise<readonly ApprovalId[]>
  /** Called, soon, after any gateway changed it; returns how to stop. Nothing is promised while the store is away: ask, too. */
  watch(id: ApprovalId, onChange: () => void): () => void
}
