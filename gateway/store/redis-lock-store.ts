import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import { decodeLock, encodeLock, type Lock, type LockId } from '../locks/lock.ts'
import {
  type LockAddition,
  type LockFollower,
  type LockStore,
  type LockStoreEvents,
  MOST_LOCKS,
} from './lock-store.ts'
import { LockFeed } from './redis-lock-feed.ts'
import { loadScripts, readLockScripts, runScript } from './redis-script.ts'

export interface RedisLockStoreOptions {
  /** Answers commands; owned, like the other, by whoever made it. */
  readonly client: Redis
  readonly listener: Redis
  readonly keyPrefix: string
  /** How many have to have a change. */
  readonly replicas: number
  readonly follower: LockFollower
  readonly events: LockStoreEvents
}

/** How long whoever sets a lock waits for the replicas; it is in force already. */
const WITNESS_MS = 250
/** A gateway that hears nothing for longer than this has long stopped calls, and starts anew. */
const ENDED_KEPT_MS = 7 * 86_400_000
const MOST_ENDED = 10_000

/** Everything the server knows, as of one moment of its own clock. */
interface Reading {
  readonly epoch: number
  readonly mark: string
  readonly nowMs: number
  readonly locks: readonly Lock[]
  readonly ended: ReadonlySet<string>
}

/** Locks of a fleet in Redis. */
export function createRedisLockStore(options: RedisLockStoreOptions): LockStore {
  return new RedisLockStore(options)
}

class RedisLockStore implements LockStore {
  readonly #options: RedisLockStoreOptions
  readonly #scripts = readLockScripts()
  readonly #feed: LockFeed
  readonly #keys: readonly string[]
  readonly #channel: string
  #known: ReadonlyMap<string, Lock> = new Map()
  #epoch = 0
  /** Set here, and not known to be on the server yet. */
  readonly #unshared = new Set<string>()
  /** Of the last change that was taken; none before the first reading. */
  #mark: string | undefined

  constructor(options: RedisLockStoreOptions) {
    const { client, listener, keyPrefix, events } = options
    this.#options = options
    // One hash tag, so that a cluster keeps them together.
    const key = `${keyPrefix}{control}:locks`
    this.#keys = [key, `${key}:ended`, `${key}:head`]
    this.#channel = key
    loadScripts(client, Object.values(this.#scripts))
    this.#feed = new LockFeed({
      client,
      listener,
      channel: this.#channel,
      look: () => this.#look(),
      epoch: () => this.#epoch,
      onFailure: events.failed,
    })
    if (client.status === 'ready') void this.#feed.look()
  }

  async add(lock: Lock): Promise<LockAddition | { readonly kind: 'full' }> {
    if (this.#known.size >= MOST_LOCKS) return { kind: 'full' }
    // At once, whatever the server says: who stops something does not wait for a network.
    this.#take(new Map(this.#known).set(lock.id, lock), this.#epoch)
    this.#unshared.add(lock.id)
    try {
      const { epoch } = await this.#write([lock], MOST_LOCKS)
      if (epoch === -1) return this.#takeBack(lock)
    } catch (cause) {
      this.#options.events.failed(cause)
      return { kind: 'added', shared: false, witnessed: false }
    }
    const witnessed = await this.#witness()
    await this.refresh()
    return { kind: 'added', shared: true, witnessed }
  }

  async remove(id: LockId): Promise<Lock | undefined> {
    const [ended] = await this.#end(id)
    return ended
  }

  async change(id: LockId, next: (lock: Lock) => Lock): Promise<Lock | undefined> {
    const { client } = this.#options
    for (;;) {
      const read = await client.hget(this.#keys[0] as string, id)
      if (read === null) return undefined
      const lock = decodeLock(read)
      const changed = next(lock)
      if (changed === lock) return lock
      const args = [randomUUID(), this.#channel, id, read, encodeLock(changed)]
      if ((await runScript(client, this.#scripts.replace, this.#keys, args)) !== 1) continue
      await this.#witness()
      await this.refresh()
      return changed
    }
  }

  expire(): Promise<readonly Lock[]> {
    return this.#end()
  }

  refresh(): Promise<void> {
    return this.#feed.look()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#feed[Symbol.dispose]()
  }

  async #end(...ids: readonly LockId[]): Promise<readonly Lock[]> {
    const args = [randomUUID(), this.#channel, ENDED_KEPT_MS, MOST_ENDED, ...ids]
    const ended = await runScript(this.#options.client, this.#scripts.end, this.#keys, args)
    const locks = (ended as readonly string[]).map(decodeLock)
    if (locks.length > 0) {
      await this.#witness()
      await this.refresh()
    }
    return locks
  }

  async #look(): Promise<void> {
    const { client, follower } = this.#options
    const [epoch, mark] = await client.hmget(this.#keys[2] as string, 'epoch', 'mark')
    if (this.#mark !== undefined && (mark ?? '') === this.#mark && Number(epoch) === this.#epoch)
      return follower.heard()
    const reading = await this.#read()
    const missing = this.#missingFrom(reading)
    if (missing.length === 0 && reading.epoch >= this.#epoch) {
      this.#mark = reading.mark
      this.#take(new Map(reading.locks.map((lock) => [lock.id, lock])), reading.epoch)
      return follower.heard()
    }
    // Every lock that anybody knows of holds meanwhile. What was written brings a message, and with it another look.
    const joined = new Map([...missing, ...reading.locks].map((lock) => [lock.id as string, lock]))
    this.#take(joined, Math.max(this.#epoch, reading.epoch))
    const forgotten = missing.filter(({ id }) => !this.#unshared.has(id))
    const { added } = await this.#write(missing, Number.MAX_SAFE_INTEGER)
    if (added > 0 && forgotten.length > 0) this.#options.events.restored(forgotten)
    await this.#look()
  }

  #takeBack({ id }: Lock): { readonly kind: 'full' } {
    const known = new Map(this.#known)
    known.delete(id)
    this.#unshared.delete(id)
    this.#take(known, this.#epoch)
    return { kind: 'full' }
  }

  /** Known here, and neither there nor ended: the server has lost them. */
  #missingFrom({ locks, ended, nowMs }: Reading): readonly Lock[] {
    const there = new Set<string>(locks.map(({ id }) => id))
    return [...this.#known.values()].filter(
      ({ id, expiresAtMs = Number.POSITIVE_INFINITY }) =>
        !there.has(id) && !ended.has(id) && expiresAtMs > nowMs,
    )
  }

  #take(known: ReadonlyMap<string, Lock>, epoch: number): void {
    this.#known = known
    this.#epoch = epoch
    this.#options.follower.changed({ epoch, locks: [...known.values()] })
  }

  async #write(
    locks: readonly Lock[],
    most: number,
  ): Promise<{ readonly epoch: number; readonly added: number }> {
    const args = [randomUUID(), this.#epoch, most, this.#channel]
    const pairs = locks.flatMap((lock) => [lock.id, encodeLock(lock)])
    const reply = await runScript(this.#options.client, this.#scripts.add, this.#keys, [...args, ...pairs])
    const [epoch, added] = reply as readonly [number, number]
    if (epoch !== -1) for (const { id } of locks) this.#unshared.delete(id)
    return { epoch, added }
  }

  async #read(): Promise<Reading> {
    const reply = await runScript(this.#options.client, this.#scripts.read, this.#keys, [])
    const [epoch, mark, nowMs, locks, ended] = reply as readonly [
      number,
      string,
      string,
      readonly string[],
      readonly string[],
    ]
    return { epoch, mark, nowMs: Number(nowMs), locks: locks.map(decodeLock), ended: new Set(ended) }
  }

  async #witness(): Promise<boolean> {
    const { client, replicas, events } = this.#options
    if (replicas === 0) return true
    try {
      return (await client.wait(replicas, WITNESS_MS)) >= replicas
    } catch (cause) {
      events.failed(cause)
      return false
    }
  }
}
