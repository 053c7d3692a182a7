import type { LockChange } from '../audit/lock-entry.ts'
import type { Actor } from '../control/actor.ts'
import { identityOf } from '../control/same-person.ts'
import type { Clock } from '../lib/clock.ts'
import type { LockAddition, LockStore } from '../store/lock-store.ts'
import { type Lock, type LockId, mayRelease, type ReleaseRule } from './lock.ts'
import type { Locks, LocksState } from './locks.ts'
import type { LockScope } from './scope.ts'

/** How often it is looked whether a lock's time is over, and whether the store is still heard of. */
const TICK_MS = 250
/** Who still wants a lock released is on it once; beyond so many people something else is wrong. */
const MOST_REQUESTS = 32

/** What is wanted of a lock; the rest the service knows. */
export interface WantedLock {
  readonly scope: LockScope
  readonly reason: string
  readonly writesOnly?: boolean
  readonly tokensBeforeMs?: number | undefined
  readonly expiresAtMs?: number | undefined
  readonly release?: ReleaseRule
}

export type SetAnswer =
  | (LockAddition & { readonly kind: 'added'; readonly lock: Lock; readonly isOnRecord: boolean })
  | { readonly kind: 'full' }

export type ReleaseAnswer =
  | { readonly kind: 'released'; readonly lock: Lock }
  /** Another person has to release it; that this one asked for it is on the lock. */
  | { readonly kind: 'requested'; readonly lock: Lock }
  | { readonly kind: 'unknown' }
  /** Nothing ends that is not on record. */
  | { readonly kind: 'unrecorded' }

export interface LockServiceOptions {
  readonly store: LockStore
  readonly locks: Locks
  /** Resolves to whether the change is durably on record. */
  readonly record: (change: LockChange) => Promise<boolean>
  /** For the log, metrics and whoever is to be told; must not throw. */
  readonly onChange: (change: LockChange) => void
  readonly onState: (state: LocksState) => void
  readonly onFailure: (cause: unknown) => void
  readonly clock: Pick<Clock, 'nowMs'>
  readonly nextId: () => LockId
}

/** Sets and releases locks for people and for the parts of the gateway, and ends those whose time is over. */
export class LockService implements AsyncDisposable {
  readonly #options: LockServiceOptions
  readonly #timer: NodeJS.Timeout
  #state: LocksState
  #expiring: Promise<void> | undefined

  constructor(options: LockServiceOptions) {
    this.#options = options
    this.#state = options.locks.state
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref()
  }

  /** Those in force, newest first. */
  list(): readonly Lock[] {
    return [...this.#options.locks.inForce].sort((one, other) => (one.id < other.id ? 1 : -1))
  }

  /** First the lock, then the record of it: what has to stop does not wait for a disk. */
  async set(wanted: WantedLock, author: Actor): Promise<SetAnswer> {
    const { store, clock, nextId } = this.#options
    const lock: Lock = {
      id: nextId(),
      scope: wanted.scope,
      writesOnly: wanted.writesOnly === true || wanted.scope.kind === 'writes',
      tokensBeforeMs: wanted.tokensBeforeMs,
      reason: wanted.reason,
      author,
      setAtMs: clock.nowMs(),
      expiresAtMs: wanted.expiresAtMs,
      release: wanted.release ?? 'anyone',
      releaseRequests: [],
    }
    const added = await store.add(lock)
    if (added.kind === 'full') return added
    const isOnRecord = await this.#tell('set', lock, author, lock.reason)
    return { ...added, lock, isOnRecord }
  }

  /**
   * First the record, then the release: should the gateway die in between, the lock holds, and the record claims no more
   * safety than there is. Rejects where the store cannot be reached; then, too, the lock holds.
   */
  async release(id: LockId, actor: Actor, reason: string): Promise<ReleaseAnswer> {
    const { store, locks } = this.#options
    await store.refresh()
    const lock = locks.inForce.find((each) => each.id === id)
    if (lock === undefined) return { kind: 'unknown' }
    if (!mayRelease(lock, actor)) return await this.#request(lock, actor, reason)
    if (!(await this.#record('released', lock, actor, reason))) return { kind: 'unrecorded' }
    try {
      const ended = await store.remove(id)
      if (ended === undefined) return { kind: 'unknown' }
    } catch (cause) {
      await this.#tell('release_failed', lock, actor, reason)
      throw cause
    }
    this.#options.onChange(this.#change('released', lock, actor, reason))
    return { kind: 'released', lock }
  }

  /** The store had forgotten these, and this process gave them back. */
  restored(forgotten: readonly Lock[]): void {
    for (const lock of forgotten) void this.#tell('restored', lock, gateway('lock-store'), lock.reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#expiring
  }

  async #request(lock: Lock, by: Actor, reason: string): Promise<ReleaseAnswer> {
    const { store, clock } = this.#options
    const atMs = clock.nowMs()
    let isNew = false
    const asked = await store.change(lock.id, (held) => {
      isNew = held.releaseRequests.length < MOST_REQUESTS && !held.releaseRequests.some(isOf(by))
      return isNew ? { ...held, releaseRequests: [...held.releaseRequests, { by, reason, atMs }] } : held
    })
    if (asked === undefined) return { kind: 'unknown' }
    if (isNew) await this.#tell('release_requested', asked, by, reason)
    return { kind: 'requested', lock: asked }
  }

  #tick(): void {
    const { locks, clock, onState } = this.#options
    const { state } = locks
    if (state !== this.#state) {
      this.#state = state
      onState(state)
    }
    const nowMs = clock.nowMs()
    const isOver = locks.inForce.some(({ expiresAtMs = Number.POSITIVE_INFINITY }) => expiresAtMs <= nowMs)
    if (!isOver || state !== 'fresh' || this.#expiring !== undefined) return
    this.#expiring = this.#expire().finally(() => {
      this.#expiring = undefined
    })
  }

  /** The clock that counts is the store's, and it says to one gateway alone that a lock has ended. */
  async #expire(): Promise<void> {
    try {
      const ended = await this.#options.store.expire()
      for (const lock of ended) await this.#tell('expired', lock, gateway('expiry'), lock.reason)
    } catch (cause) {
      this.#options.onFailure(cause)
    }
  }

  #tell(state: LockChange['state'], lock: Lock, by: Actor, reason: string): Promise<boolean> {
    this.#options.onChange(this.#change(state, lock, by, reason))
    return this.#record(state, lock, by, reason)
  }

  #record(state: LockChange['state'], lock: Lock, by: Actor, reason: string): Promise<boolean> {
    return this.#options.record(this.#change(state, lock, by, reason))
  }

  #change(state: LockChange['state'], lock: Lock, by: Actor, reason: string): LockChange {
    return { state, lock, by, reason, epoch: this.#options.locks.epoch }
  }
}

function gateway(part: string): Actor {
  return { kind: 'gateway', part }
}

/** Whether a request is this actor's own. */
function isOf(actor: Actor): (request: { readonly by: Actor }) => boolean {
  const nameOf = (each: Actor): string => (each.kind === 'person' ? identityOf(each.person.id) : '')
  return ({ by }) => by.kind === actor.kind && nameOf(by) === nameOf(actor)
}
