import { describe, expect, it } from 'vitest'
import type { Lock, LockId } from '../../../gateway/locks/lock.ts'
import { formatScope } from '../../../gateway/locks/scope.ts'
import type { LockFollower, LockSnapshot, LockStore } from '../../../gateway/store/lock-store.ts'
import { until } from '../../harness/until.ts'
import { aLock, aPerson } from '../locks/a-lock.ts'

/** What one process knows. */
export class Knowing implements LockFollower {
  snapshot: LockSnapshot = { epoch: -1, locks: [] }
  heardTimes = 0
  readonly epochs: number[] = []

  changed(snapshot: LockSnapshot): void {
    this.snapshot = snapshot
    this.epochs.push(snapshot.epoch)
  }

  heard(): void {
    this.heardTimes += 1
  }

  get scopes(): string[] {
    return this.snapshot.locks.map(({ scope }) => formatScope(scope)).sort()
  }
}

export interface LockStoreUnderTest extends AsyncDisposable {
  readonly store: LockStore
  readonly knowing: Knowing
}

/** `open` gives another process on the same store each time, `clear` empties it. */
export function describeLockStore(
  name: string,
  open: () => Promise<LockStoreUnderTest>,
  clear: () => Promise<void>,
): void {
  const two = async () => {
    await clear()
    const [mine, theirs] = [await open(), await open()]
    await until(() => mine.knowing.heardTimes > 0 && theirs.knowing.heardTimes > 0)
    const close = async (): Promise<void> => {
      await mine[Symbol.asyncDispose]()
      await theirs[Symbol.asyncDispose]()
    }
    return { mine, theirs, [Symbol.asyncDispose]: close }
  }

  describe(`${name}: the contract`, () => {
    it('lets a process act upon what it set at once, and every other one soon', async () => {
      await using both = await two()
      const { mine, theirs } = both
      const lock = aLock('agent:runaway', { author: aPerson('dana@zyx.example') })
      expect(await mine.store.add(lock)).toEqual({ kind: 'added', shared: true, witnessed: true })
      expect(mine.knowing.snapshot.locks).toEqual([lock])
      await until(() => theirs.knowing.scopes.length === 1)
      expect(theirs.knowing.snapshot).toEqual(mine.knowing.snapshot)
    })

    it('is heard of again and again while nothing changes', async () => {
      await using both = await two()
      const { heardTimes, epochs } = both.mine.knowing
      const changes = epochs.length
      await until(() => both.mine.knowing.heardTimes > heardTimes + 1)
      expect(both.mine.knowing.epochs).toHaveLength(changes)
    })

    it('keeps what was set for a process that starts later', async () => {
      await using both = await two()
      await both.mine.store.add(aLock('all'))
      await both.mine.store.add(aLock('tenant:zyx'))
      await using later = await open()
      await until(() => later.knowing.heardTimes > 0)
      expect(later.knowing.scopes).toEqual(['all', 'tenant:zyx'])
    })

    it('ends a lock for all, once', async () => {
      await using both = await two()
      const { mine, theirs } = both
      const lock = aLock('connector:github')
      await mine.store.add(lock)
      await until(() => theirs.knowing.scopes.length === 1)
      const ended = await Promise.all([mine.store.remove(lock.id), theirs.store.remove(lock.id)])
      expect(ended.filter((each) => each !== undefined)).toEqual([lock])
      await until(() => mine.knowing.scopes.length === 0 && theirs.knowing.scopes.length === 0)
      expect(await mine.store.remove(lock.id)).toBeUndefined()
    })

    it('never lowers its epoch, and raises it with every change', async () => {
      await using both = await two()
      const { mine } = both
      const lock = aLock('all')
      const before = mine.knowing.snapshot.epoch
      await mine.store.add(lock)
      const set = mine.knowing.snapshot.epoch
      await mine.store.change(lock.id, (held) => ({ ...held, reason: 'and more' }))
      const changed = mine.knowing.snapshot.epoch
      await mine.store.remove(lock.id)
      expect(before).toBeLessThan(set)
      expect(set).toBeLessThan(changed)
      expect(changed).toBeLessThan(mine.knowing.snapshot.epoch)
      expect(mine.knowing.epochs).toEqual([...mine.knowing.epochs].sort((one, other) => one - other))
    })

    it('loses none of the changes that are made to one lock at once', async () => {
      await using both = await two()
      const { mine, theirs } = both
      const lock = aLock('all')
      await mine.store.add(lock)
      const ask = (store: LockStore, reason: string) =>
        store.change(lock.id, (held) => ({
          ...held,
          releaseRequests: [...held.releaseRequests, { by: aPerson(reason), reason, atMs: 1 }],
        }))
      await Promise.all(['a', 'b', 'c', 'd'].map((each, at) => ask((at % 2 ? mine : theirs).store, each)))
      await mine.store.refresh()
      const reasons = (held: Lock | undefined) => held?.releaseRequests.map(({ reason }) => reason).sort()
      expect(reasons(mine.knowing.snapshot.locks[0])).toEqual(['a', 'b', 'c', 'd'])
      expect(await mine.store.change('none' as LockId, (held) => held)).toBeUndefined()
    })

    it('ends locks whose time is over, and tells one process alone of each', async () => {
      await using both = await two()
      const { mine, theirs } = both
      const over = aLock('task:over', { expiresAtMs: Date.now() - 1_000 })
      await mine.store.add(over)
      await mine.store.add(aLock('task:later', { expiresAtMs: Date.now() + 60_000 }))
      await mine.store.add(aLock('task:never'))
      await until(() => theirs.knowing.scopes.length === 3)
      const ended = await Promise.all([mine.store.expire(), theirs.store.expire()])
      expect(ended.flat()).toEqual([over])
      await until(() => theirs.knowing.scopes.length === 2)
      expect(theirs.knowing.scopes).toEqual(['task:later', 'task:never'])
    })
  })
}
