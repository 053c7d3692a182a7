import type { Lock, LockId } from '../locks/lock.ts'

/** All locks in force, as of one change. */
export interface LockSnapshot {
  /** Rises with every change, and never falls in the eyes of one gateway. */
  readonly epoch: number
  readonly locks: readonly Lock[]
}

/** Who has to know the locks in force. Called synchronously; must not throw. */
export interface LockFollower {
  /** The locks have changed, or are known for the first time. */
  changed(snapshot: LockSnapshot): void
  /** The store was asked a moment ago, and the last snapshot is what it has. */
  heard(): void
}

export interface LockStoreEvents {
  /** The store had forgotten these (a restart without persistence, a failover): it was given them again. */
  readonly restored: (locks: readonly Lock[]) => void
  readonly failed: (cause: unknown) => void
}

export interface LockAddition {
  readonly kind: 'added'
  /** `false`: the store could not be reached, and this process alone acts upon the lock until it can be. */
  readonly shared: boolean
  /** `false`: fewer replicas have it than there are to be. */
  readonly witnessed: boolean
}

/** Bounds what every gateway holds and what a snapshot weighs; a fleet with so many is being misused. */
export const MOST_LOCKS = 10_000

/**
 * Keeps the locks in force, across restarts, for all who share it. A lock's id is used once and never again, so what is
 * known of a set of locks can be joined: added anywhere and ended nowhere is in force.
 */
export interface LockStore extends AsyncDisposable {
  /** Once it resolves this process acts upon the lock. Rejects only where not even that is so. */
  add(lock: Lock): Promise<LockAddition | { readonly kind: 'full' }>
  /** The lock that was ended; `undefined` where it had been before. Rejects when the store cannot say. */
  remove(id: LockId): Promise<Lock | undefined>
  /**
   * Keeps what `next` makes of a lock, atomically: it may be asked more than once. Answers with what is kept, `undefined`
   * where there is no such lock. Rejects when the store cannot say.
   */
  change(id: LockId, next: (lock: Lock) => Lock): Promise<Lock | undefined>
  /** Ends those whose time is over by the clock of the store, and answers with them; each is answered to one process only. */
  expire(): Promise<readonly Lock[]>
  /** Asks the store now; resolves when it has answered, or could not. */
  refresh(): Promise<void>
}
