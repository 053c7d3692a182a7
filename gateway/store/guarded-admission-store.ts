import type { Access } from '../catalog/connector.ts'
import type { FailureMode } from '../config/store-config.ts'
import type { ReplayCheck } from '../caller.ts'
import {
  type AdmissionAnswer,
  type AdmissionDemand,
  type AdmissionStore,
  TOO_MANY_PROOFS,
  UNAVAILABLE_RETRY_MS,
} from './admission-store.ts'
import type { EmbeddedAdmissionStore } from './embedded-admission-store.ts'
import type { RedisAdmissionStore } from './redis-admission-store.ts'
import type { ReplayFinding } from './replay-memory.ts'
import { StoreHealth, type StoreState } from './store-health.ts'

/** For metrics and the log; each is called as it happens and must not throw. */
export interface StoreEvents {
  readonly stateChanged?: (state: StoreState, cause: unknown) => void
  /** One call was answered without the shared store. */
  readonly fellBack?: (mode: FailureMode, access: Access) => void
  /** One proof was accepted on the word of this process alone, while others may have seen it. */
  readonly replayUnshared?: () => void
}

export interface GuardedAdmissionStore extends AdmissionStore {
  readonly state: StoreState
  /** Settles once the shared store has answered for the first time; pending for as long as it does not. */
  readonly opened: Promise<void>
}

interface GuardedAdmissionOptions {
  readonly shared: RedisAdmissionStore
  /** Created with `count: 'share'`. */
  readonly local: EmbeddedAdmissionStore
  readonly onFailure: { readonly read: FailureMode; readonly write: FailureMode }
  readonly shares: number
  readonly events?: StoreEvents
}

/**
 * Admission that survives the loss of Redis as `store.onFailure` says, by class of access:
 * `closed` refuses; `local` counts in this process with its share of each limit; `open` counts nothing.
 *
 * No mode accepts a proof that this process has seen, or that is older than it. In a fleet the others' proofs are unknown
 * here, so with `shares` above 1 a write proven by DPoP is refused in every mode, and a read raises `replayUnshared`.
 * While the store is down calls are answered at once, and a probe in the background finds out when it is back.
 */
export function createGuardedAdmissionStore(options: GuardedAdmissionOptions): GuardedAdmissionStore {
  const { shared, local } = options
  const health = new StoreHealth(shared, (state, cause) => options.events?.stateChanged?.(state, cause))
  return {
    opened: health.opened,
    get state() {
      return health.state
    },
    admit(demand) {
      // Remembered here, too, while the store is well: it may be gone when the same proof comes again.
      const finding = checkReplay(local, demand.replay)
      if (finding === 'seen') return { kind: 'replayed' }
      // Before the shared store is asked, whose memory one agent could fill as well.
      if (finding === 'crowded') return TOO_MANY_PROOFS
      if (health.state === 'down') {
        return admitWithoutShared(options, demand, finding, new Error('the shared store is down'))
      }
      return shared.admit(demand).then(
        (answer) => {
          health.succeeded()
          return answer
        },
        (cause: unknown) => {
          health.failed(cause)
          return admitWithoutShared(options, demand, finding, cause)
        },
      )
    },
    async close() {
      health.close()
      await shared.close()
    },
  }
}

function admitWithoutShared(
  { local, onFailure, shares, events = {} }: GuardedAdmissionOptions,
  demand: AdmissionDemand,
  finding: ReplayFinding,
  cause: unknown,
): AdmissionAnswer {
  const { access, replay } = demand
  const mode = access === 'read' ? onFailure.read : onFailure.write
  events.fellBack?.(mode, access)
  const unshared = replay !== undefined && shares > 1
  if (mode === 'closed' || finding === 'full' || (unshared && access !== 'read')) {
    return { kind: 'unavailable', retryAfterMs: UNAVAILABLE_RETRY_MS, cause }
  }
  if (finding !== 'new') return { kind: 'replayed' }
  if (unshared) events.replayUnshared?.()
  // The proof is in the local memory already: asking again would find this very call.
  return mode === 'open' ? uncounted() : local.admit({ ...demand, replay: undefined })
}

function checkReplay(local: EmbeddedAdmissionStore, replay: ReplayCheck | undefined): ReplayFinding {
  return replay === undefined ? 'new' : local.replays.check(replay)
}

function uncounted(): AdmissionAnswer {
  return {
    kind: 'admitted',
    history: {
      calls1m: 0,
      denials10m: 0,
      errors1h: 0,
      writesTask: 0,
      firstUse: true,
      operationsTask: [],
      operations1h: [],
    },
    limits: [],
    recall: () => [],
    settle: () => {},
  }
}
