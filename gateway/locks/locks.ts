import type { LocksConfig } from '../config/locks-config.ts'
import type { Routed } from '../exchange.ts'
import { GatewayFault } from '../fault.ts'
import type { Clock } from '../lib/clock.ts'
import { type Entry, Roster } from '../lib/roster.ts'
import type { Refusal } from '../refusal.ts'
import type { LockFollower, LockSnapshot } from '../store/lock-store.ts'
import { describeLock } from './describe-lock.ts'
import type { Lock } from './lock.ts'
import { LockIndex } from './lock-index.ts'

/** `unknown` before the first news of the store, `stale` when the last is too old. */
export type LocksState = 'unknown' | 'fresh' | 'stale'

const RETRY_MS = 1_000

/** What the stages need of the locks; each answer takes well under a microsecond. */
export interface LockGate {
  /** Which change of the locks is the newest here. */
  readonly epoch: number
  /** Why the call may not go on. */
  check(call: Routed): Refusal | undefined
  /** From here on a lock that comes into force ends the call: through `arrival.abort`, whatever it waits for. */
  enter(call: Routed): Entry<Routed>
  leave(entry: Entry<Routed>): void
}

/**
 * The locks that are in force, as this process knows them, and the calls that it has in flight. Those that a new lock stops
 * are ended in the turn in which it is heard of.
 */
export class Locks implements LockGate, LockFollower {
  readonly #config: LocksConfig
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #calls = new Roster<Routed>()
  #snapshot: LockSnapshot = { epoch: 0, locks: [] }
  #index = new LockIndex([])
  #heardAtMs: number | undefined

  constructor(config: LocksConfig, clock: Pick<Clock, 'monotonicMs'>) {
    this.#config = config
    this.#clock = clock
  }

  get epoch(): number {
    return this.#snapshot.epoch
  }

  get inForce(): readonly Lock[] {
    return this.#snapshot.locks
  }

  /** How long ago the store was heard of; `undefined` before the first time. */
  get newsAgeMs(): number | undefined {
    return this.#heardAtMs === undefined ? undefined : this.#clock.monotonicMs() - this.#heardAtMs
  }

  get state(): LocksState {
    const ageMs = this.newsAgeMs
    if (ageMs === undefined) return 'unknown'
    return ageMs > this.#config.staleAfterMs ? 'stale' : 'fresh'
  }

  /** Whether calls are refused that no lock stops; `all` when reads are, too. */
  get closed(): 'none' | 'writes' | 'all' {
    const { state } = this
    if (state === 'fresh') return 'none'
    return state === 'unknown' || this.#config.onStale.read === 'refuse' ? 'all' : 'writes'
  }

  check(call: Routed): Refusal | undefined {
    const lock = this.#index.find(call)
    if (lock !== undefined) return { code: 'lock.engaged', detail: describeLock(lock) }
    const { closed } = this
    if (closed === 'none' || (closed === 'writes' && call.operation.access === 'read')) return undefined
    const detail = this.state === 'unknown' ? 'nothing is known of the locks yet' : 'the locks are stale'
    return { code: 'lock.unknown', retryAfterMs: RETRY_MS, detail }
  }

  enter(call: Routed): Entry<Routed> {
    return this.#calls.enter(call)
  }

  leave(entry: Entry<Routed>): void {
    this.#calls.leave(entry)
  }

  changed(snapshot: LockSnapshot): void {
    this.#snapshot = snapshot
    this.#index = new LockIndex(snapshot.locks)
    for (const call of this.#calls) {
      const lock = this.#index.find(call)
      if (lock !== undefined) call.arrival.abort(new GatewayFault('lock.engaged', describeLock(lock)))
    }
  }

  heard(): void {
    this.#heardAtMs = this.#clock.monotonicMs()
  }
}
