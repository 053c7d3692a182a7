/** Bounds around what policy demands of people, and around what agents can make people do. */
export interface ApprovalsConfig {
  /** Longest that `Prefer: wait` holds a connection. */
  readonly maxWaitMs: number
  /** Connections that one process holds at once; further calls are answered as if they had not asked for it. */
  readonly maxHeld: number
  /** Policy says how long people have to answer; no less and no more than this. */
  readonly answerWithinMs: { readonly min: number; readonly max: number }
  /** How long an approved call has to be made. */
  readonly useWithinMs: number
  /** Of one agent and kind (approvals, reviews): further ones are refused, so that no agent buries people in them. */
  readonly maxPendingPerAgent: number
  readonly maxPending: number
  /** Whether nobody may answer who shares a group with the person that the call is made for. */
  readonly excludePrincipalGroups: boolean
  /** What is over is kept for so long, and no more than so many; the record keeps it for good. */
  readonly retention: { readonly days: number; readonly count: number }
}
