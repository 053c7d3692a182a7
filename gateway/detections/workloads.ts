import type { Caller, Peer } from '../caller.ts'
import type { Progress } from '../exchange.ts'
import { keyPart } from '../limits/key-part.ts'
import { ExpiringMap } from '../store/expiring-map.ts'
import type { SightingKey, SightingStore } from '../store/sighting-store.ts'

/** Tokens, and keys, of which this process knows where they came from; the store is asked about others. */
const CAPACITY = 20_000
/** How long a key is remembered that is not used. */
const KEY_TTL_MS = 24 * 3_600_000
const LONGEST_TOKEN_MS = 24 * 3_600_000

interface Known {
  /** Who or what was seen with it first. */
  readonly first: string
  readonly endsAtMs: number
}

interface InPlace {
  readonly caller: Caller
  readonly peer: Peer
  readonly endsAtMs: number
}

/**
 * Remembers from which workload each token came first, and which agent used each key, for the whole fleet. The store is
 * asked once for each token and key that is new to this process, never once for each call.
 */
export class Workloads {
  readonly #store: Pick<SightingStore, 'first'>
  readonly #nowMs: () => number
  readonly #known = new ExpiringMap<Known>(CAPACITY, ({ endsAtMs }) => endsAtMs)
  /** By what each call of one verified token has in common, and as long as that lives. */
  readonly #inPlace = new WeakMap<Caller['principal'], InPlace>()

  constructor(store: Pick<SightingStore, 'first'>, nowMs: () => number) {
    this.#store = store
    this.#nowMs = nowMs
  }

  /**
   * Whether the call came as one before it whose token and key were found in their place, and both are still remembered: there
   * is nothing to ask. Compared name by name, since a caller is described anew for each call.
   */
  isInPlace({ caller, peer }: Progress): boolean {
    if (caller === undefined || peer === undefined) return false
    const last = this.#inPlace.get(caller.principal)
    return last !== undefined && last.endsAtMs > this.#nowMs() && isSame(last, caller, peer)
  }

  /** How the call's token or key came from somewhere else than before; empty where it did not. */
  async movedIn({ caller, peer }: Progress): Promise<string> {
    if (caller === undefined || peer === undefined) return ''
    const { agent, tenant, tokenId, tokenExpiresAtMs } = caller
    const tag = `{${keyPart(tenant)}}`
    const issuer = keyPart(agent.issuer)
    const nowMs = this.#nowMs()
    const tokenTtlMs = Math.min(Math.max(tokenExpiresAtMs - nowMs, 1_000), LONGEST_TOKEN_MS)
    const workload = workloadOf(caller, peer)
    const token = { tag, name: `t:${issuer}:${keyPart(tokenId)}`, isProven: true }
    const before = await this.#first(token, workload, tokenTtlMs, nowMs)
    if (before.first !== workload)
      return `the token came from ${before.first} before, and from ${workload} now`
    if (agent.key === '') return ''
    const name = `${agent.issuer}#${agent.id}`
    const key = { tag, name: `k:${keyPart(agent.key)}`, isProven: true }
    const owner = await this.#first(key, name, KEY_TTL_MS, nowMs)
    if (owner.first !== name) return `the key is that of ${owner.first}, too`
    this.#inPlace.set(caller.principal, {
      caller,
      peer,
      endsAtMs: Math.min(before.endsAtMs, owner.endsAtMs),
    })
    return ''
  }

  /** One that there is no room to remember has ended already. */
  async #first(key: SightingKey, value: string, ttlMs: number, nowMs: number): Promise<Known> {
    const at = `${key.tag}:${key.name}`
    const known = this.#known.get(at, nowMs)
    if (known !== undefined) return known
    const first = await this.#store.first(key, value, ttlMs)
    if (!this.#known.hasRoom(at, nowMs)) return { first, endsAtMs: 0 }
    const made = { first, endsAtMs: nowMs + ttlMs }
    this.#known.set(at, made, nowMs)
    return made
  }
}

/** Whether it is the same token and key, of the same agent, from the same workload. */
function isSame(last: InPlace, { agent, tenant, tokenId }: Caller, peer: Peer): boolean {
  const { caller } = last
  return (
    caller.tokenId === tokenId &&
    caller.tenant === tenant &&
    caller.agent.id === agent.id &&
    caller.agent.issuer === agent.issuer &&
    caller.agent.key === agent.key &&
    caller.agent.binding === agent.binding &&
    last.peer.address === peer.address &&
    last.peer.certificate?.x5t === peer.certificate?.x5t &&
    last.peer.certificate?.uris[0] === peer.certificate?.uris[0]
  )
}

/**
 * A name that its certificate proves, where there is one; else its address. Written so that nothing in it looks like a
 * secret: what does, as `dpop 192.0.2.1` or a thumbprint in base64url, is taken out of the record and the log.
 */
function workloadOf({ agent }: Caller, { address, certificate }: Peer): string {
  if (certificate === undefined) return `${address} (${agent.binding})`
  const [name = `certificate ${Buffer.from(certificate.x5t, 'base64url').toString('hex')}`] = certificate.uris
  return `${name} (${agent.binding})`
}
