import type { Redis } from 'ioredis'
import type { ApprovalId, ApprovalKind, ApprovalState } from '../approvals/approval.ts'
import {
  type ApprovalStore,
  type PendingBounds,
  type PendingCount,
  type Reading,
  type Requested,
  type Transition,
  Unwitnessed,
  type Witness,
} from './approval-store.ts'
import { ApprovalKeys } from './approval-keys.ts'
import { type Kept, putArguments } from './approval-put.ts'
import { ApprovalFeed } from './redis-approval-feed.ts'
import { loadScripts, readApprovalScripts, runScript } from './redis-script.ts'
import { canWitness } from './replication.ts'
import { decodeApproval, encodeApproval } from './stored-approval.ts'

export interface RedisApprovalOptions {
  /** For all that nobody has to witness; closed, like the others, with the store. */
  readonly client: Redis
  /** Waits for replicas, and everything behind it on its connection waits with it. */
  readonly witness: Redis
  /** A connection that listens can do nothing else. */
  readonly listener: Redis
  readonly keyPrefix: string
  /** How many have to have a change that has to survive the primary; 0 where there are none. */
  readonly replicas: number
  /** How long those are kept that are over. */
  readonly keptMs: number
  /** A change that was to be kept at once is, but too few replicas have it. */
  readonly onUnwitnessed: (id: ApprovalId) => void
  /** How often is asked what became of those that are watched; 5 s unless told otherwise. */
  readonly lookAgainMs?: number
}

/** How long whoever needs a witness waits for it. */
export const WITNESS_MS = 1_000
/** Each try that fails means that another one succeeded, and an approval does not change often. */
const MOST_TRIES = 100
const PRUNED_AT_ONCE = 500
const LOOK_AGAIN_MS = 5_000

/** Approvals of a fleet in Redis, with one compare-and-set for every change; its clock is everybody's. */
export function createRedisApprovalStore(options: RedisApprovalOptions): ApprovalStore {
  return new RedisApprovalStore(options)
}

class RedisApprovalStore implements ApprovalStore {
  readonly #options: RedisApprovalOptions
  readonly #scripts = readApprovalScripts()
  readonly #keys: ApprovalKeys
  readonly #feed: ApprovalFeed

  constructor(options: RedisApprovalOptions) {
    this.#options = options
    this.#keys = new ApprovalKeys(options.keyPrefix)
    for (const client of [options.client, options.witness]) loadScripts(client, Object.values(this.#scripts))
    const { listener, lookAgainMs = LOOK_AGAIN_MS } = options
    const { channel } = this.#keys
    this.#feed = new ApprovalFeed({ listener, channel, lookAgainMs, over: (ids) => this.#over(ids) })
  }

  async request(
    { openKey, make }: Parameters<ApprovalStore['request']>[0],
    bounds: PendingBounds,
  ): Promise<Requested> {
    const { client } = this.#options
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const { value, nowMs } = await this.#read(client, this.#keys.open(openKey), this.#keys.approvals)
      if (value !== undefined) return { kind: 'known', approval: decodeApproval(value), nowMs }
      const approval = make(nowMs)
      const kept = await this.#put(client, { approval, read: '' }, bounds)
      if (kept === 'kept') return { kind: 'made', approval }
      if (kept !== 'conflict') return { kind: 'full', bound: kept }
    }
    throw new Error('the approval was changed by others again and again')
  }

  async get(id: ApprovalId): Promise<Reading | undefined> {
    const { value, nowMs } = await this.#read(this.#options.client, this.#keys.approval(id))
    return value === undefined ? undefined : { approval: decodeApproval(value), nowMs }
  }

  async list({ states, limit }: Parameters<ApprovalStore['list']>[0]): Promise<readonly Reading[]> {
    const { client } = this.#options
    const [nowMs, ...found] = await Promise.all([
      this.#nowMs(),
      ...states.map((state) => this.#newest(state, limit)),
    ])
    const newest = found.flat().sort((one, other) => other.atMs - one.atMs || (other.id > one.id ? 1 : -1))
    const keys = newest.slice(0, limit).map(({ id }) => this.#keys.approval(id))
    const values = keys.length === 0 ? [] : await client.mget(keys)
    // One that was forgotten meanwhile is missing.
    return values.flatMap((value) => (value === null ? [] : [{ approval: decodeApproval(value), nowMs }]))
  }

  async change<T>(
    id: ApprovalId,
    transition: Transition<T>,
    { witness = 'none' }: { readonly witness?: Witness } = {},
  ): Promise<T | undefined> {
    const { replicas } = this.#options
    const wanted = replicas > 0 ? witness : 'none'
    const client = wanted === 'none' ? this.#options.client : this.#options.witness
    // An approval would be used up in vain.
    if (wanted === 'required' && !(await canWitness(client, replicas))) throw new Unwitnessed(false)
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const { value, nowMs } = await this.#read(client, this.#keys.approval(id))
      if (value === undefined) return undefined
      const { next, answer } = transition(decodeApproval(value), nowMs)
      if (next === undefined) return answer
      const kept = await this.#put(client, { approval: next, read: value })
      if (kept !== 'kept') continue
      if (wanted !== 'none') await this.#witnessed(id, wanted)
      return answer
    }
    throw new Error('the approval was changed by others again and again')
  }

  async due(limit: number): Promise<readonly ApprovalId[]> {
    const { client } = this.#options
    const nowMs = await this.#nowMs()
    const ids = await client.zrangebyscore(this.#keys.due, '-inf', String(nowMs), 'LIMIT', 0, limit)
    const found = await Promise.all(
      ids.map(async (id) => {
        if ((await client.exists(this.#keys.approval(id as ApprovalId))) === 1) return id as ApprovalId
        // Deleted by hand, or evicted: it would be due for ever.
        await Promise.all(this.#keys.indexes.map((key) => client.zrem(key, id)))
        return []
      }),
    )
    return found.flat()
  }

  async pending(): Promise<Readonly<Record<ApprovalKind, PendingCount>>> {
    const [approval, review] = await Promise.all([this.#pendingOf('approval'), this.#pendingOf('review')])
    return { approval, review }
  }

  async prune({ keptMs, keptCount }: Parameters<ApprovalStore['prune']>[0]): Promise<number> {
    const args = [keptMs, keptCount, PRUNED_AT_ONCE, this.#keys.approvals]
    let pruned = 0
    for (;;) {
      const some = Number(
        await runScript(this.#options.client, this.#scripts.prune, this.#keys.indexes, args),
      )
      pruned += some
      if (some < PRUNED_AT_ONCE) return pruned
    }
  }

  watch(id: ApprovalId, onChange: () => void): () => void {
    return this.#feed.watch(id, onChange)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#feed[Symbol.dispose]()
    const { client, witness, listener } = this.#options
    for (const connection of [client, witness, listener]) connection.disconnect()
  }

  async #read(
    client: Redis,
    key: string,
    prefix?: string,
  ): Promise<{ value: string | undefined; nowMs: number }> {
    const reply = await runScript(client, this.#scripts.read, [key], prefix === undefined ? [] : [prefix])
    const [value, time] = Array.isArray(reply) ? (reply as readonly unknown[]) : []
    const nowMs = Number(time)
    if (!Number.isSafeInteger(nowMs)) throw new TypeError('approval-read.lua did not answer with the time')
    return { value: typeof value === 'string' ? value : undefined, nowMs }
  }

  /** An answer that did not come may have been a yes: whoever asks on the same connection is answered after it. */
  async #put(
    client: Redis,
    change: Kept,
    bounds?: PendingBounds,
  ): Promise<'kept' | 'conflict' | keyof PendingBounds> {
    const { keys, args } = putArguments(this.#keys, change, { bounds, keptMs: this.#options.keptMs })
    try {
      switch (await runScript(client, this.#scripts.put, keys, args)) {
        case 1:
          return 'kept'
        case 0:
          return 'conflict'
        case -1:
          return 'perAgent'
        case -2:
          return 'overall'
        default:
          throw new TypeError('approval-put.lua did not answer with what it did')
      }
    } catch (cause) {
      const { value } = await this.#read(client, this.#keys.approval(change.approval.id))
      if (value === encodeApproval(change.approval)) return 'kept'
      throw cause
    }
  }

  async #witnessed(id: ApprovalId, wanted: Witness): Promise<void> {
    const { replicas, witness, onUnwitnessed } = this.#options
    // Without an answer nobody is known to have it.
    const witnesses = await witness.wait(replicas, WITNESS_MS).catch(() => 0)
    if (witnesses >= replicas) return
    onUnwitnessed(id)
    if (wanted === 'required') throw new Unwitnessed(true)
  }

  async #pendingOf(kind: ApprovalKind): Promise<PendingCount> {
    const { client } = this.#options
    const key = this.#keys.pendingOfKind(kind)
    const [nowMs, count, [, oldestAtMs]] = await Promise.all([
      this.#nowMs(),
      client.zcard(key),
      client.zrange(key, '0', '0', 'WITHSCORES'),
    ])
    return { count, oldestMs: oldestAtMs === undefined ? 0 : Math.max(0, nowMs - Number(oldestAtMs)) }
  }

  async #newest(state: ApprovalState, limit: number): Promise<readonly { id: ApprovalId; atMs: number }[]> {
    const flat = await this.#options.client.zrevrange(this.#keys.state(state), 0, limit - 1, 'WITHSCORES')
    const found: { id: ApprovalId; atMs: number }[] = []
    for (let at = 0; at + 1 < flat.length; at += 2)
      found.push({ id: flat[at] as ApprovalId, atMs: Number(flat[at + 1]) })
    return found
  }

  async #nowMs(): Promise<number> {
    const [seconds, microseconds] = await this.#options.client.time()
    return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000)
  }

  async #over(ids: readonly string[]): Promise<readonly string[]> {
    const args = [this.#keys.approvals, ...ids]
    const over = await runScript(
      this.#options.client,
      this.#scripts.over,
      [this.#keys.state('pending')],
      args,
    )
    return Array.isArray(over) ? over.map(String) : []
  }
}
