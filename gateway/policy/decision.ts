import type { Reason } from '../refusal.ts'

/** What a person (or several) must answer before the call goes on; DESIGN §7. */
interface ApprovalObligation {
  readonly id: string
  readonly type: 'approval'
  readonly properties: {
    /** Any one of these groups may answer. */
    readonly groups: readonly string[]
    /** How many people have to say yes. */
    readonly count: number
    /** Whether they have to be different people. */
    readonly distinct: boolean
    readonly ttlSeconds: number
    readonly escalationGroup: string
    readonly escalateAfterSeconds: number
    /** People who may not answer, beside those whom the call is made for and who made it: the owner of the agent. */
    readonly excluded: readonly string[]
  }
}

/** No more than this many bytes of response body may reach the agent. */
interface CapBytesObligation {
  readonly id: string
  readonly type: 'cap_bytes'
  readonly properties: { readonly maxBytes: number }
}

/** Members of the response body that must not reach the agent. */
interface RedactObligation {
  readonly id: string
  readonly type: 'redact'
  /** JSON Pointers (RFC 6901). */
  readonly properties: { readonly pointers: readonly string[] }
}

/** The call goes through and a person is asked afterwards. */
interface PostReviewObligation {
  readonly id: string
  readonly type: 'post_review'
  readonly properties: {
    readonly groups: readonly string[]
    readonly ttlSeconds: number
    /** Who may not look at it, beside everybody whom the gateway excludes by itself. */
    readonly excluded: readonly string[]
  }
}

/** Somebody is told. */
interface NotifyObligation {
  readonly id: string
  readonly type: 'notify'
  readonly properties: { readonly groups: readonly string[] }
}

/** A further limit, by name, that this call has to pass. */
interface LimitObligation {
  readonly id: string
  readonly type: 'limit'
  readonly properties: { readonly name: string }
}

export type Obligation =
  | ApprovalObligation
  | CapBytesObligation
  | RedactObligation
  | PostReviewObligation
  | NotifyObligation
  | LimitObligation

export type ObligationType = Obligation['type']

/** The decision document of `gateway/decision/decision`, checked and in canonical order; DESIGN §5. */
export interface Decision {
  readonly allow: boolean
  /** 0 to 10. */
  readonly risk: number
  /** Sorted by rule, code and detail; empty on an allow. */
  readonly reasons: readonly Reason[]
  /** Of rules in report mode, which deny nothing; sorted alike. */
  readonly reported: readonly Reason[]
  /** Sorted by id. */
  readonly obligations: readonly Obligation[]
}
