import type { JsonWebKey } from 'node:crypto'
import type { ProofKey } from '../../harness/proof.ts'

/** Whom to call, and with what. */
export interface LoadPlan {
  readonly port: number
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string } | undefined
  readonly connections: number
  /** Open beside those that call, and silent. */
  readonly idleConnections: number
  readonly method: string
  /** `{n}` is replaced by the number of the call. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Taken in turn: who calls, with a key where the token is bound to one; empty where nobody has to say who calls. */
  readonly agents: readonly LoadAgent[]
}

export interface LoadAgent {
  readonly token: string
  readonly key: SerializedKey | undefined
}

export type SerializedKey = Pick<ProofKey, 'publicJwk'> & { readonly privateJwk: JsonWebKey }

export interface LoadRun {
  readonly seconds: number
  /** Calls begun a second, whether or not earlier ones have ended; `undefined` for as many as the connections carry. */
  readonly perSecond: number | undefined
  /** How many at most. Where each has a proof of its own, so many are signed before the clock starts. */
  readonly calls: number
}

export interface LoadResult {
  readonly calls: number
  readonly elapsedMs: number
  /** Of each call, from when it was meant to begin. */
  readonly latenciesMs: Float64Array
  /** By how much this client itself was late to begin each call; empty where none was due at a time. */
  readonly latenessMs: Float64Array
  /** Replies by status. */
  readonly statuses: Readonly<Record<string, number>>
  /** Cores that this client itself kept busy: near 1 it is what was measured. */
  readonly clientCores: number
}
