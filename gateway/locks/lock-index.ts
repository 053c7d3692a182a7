import type { Routed } from '../exchange.ts'
import type { Lock } from './lock.ts'
import type { LockScopeKind } from './scope.ts'

/** What a lock can be about, of one call; everything in it is proven but the task, which the agent declares. */
export type LockableCall = Pick<Routed, 'caller' | 'connector' | 'operation' | 'declared' | 'peer'>

/** The locks on one name, at most one of each kind: of several that stop the same calls, one is enough. */
class Slot {
  #every: Lock | undefined
  #writes: Lock | undefined
  #oldEvery: Lock | undefined
  #oldWrites: Lock | undefined

  add(lock: Lock): void {
    const writesOnly = lock.writesOnly || lock.scope.kind === 'writes'
    if (lock.tokensBeforeMs === undefined) {
      if (writesOnly) this.#writes ??= lock
      else this.#every ??= lock
    } else if (writesOnly) this.#oldWrites = laterOf(this.#oldWrites, lock)
    else this.#oldEvery = laterOf(this.#oldEvery, lock)
  }

  find(isWrite: boolean, tokenIssuedAtMs: number): Lock | undefined {
    if (this.#every !== undefined) return this.#every
    if (isWrite && this.#writes !== undefined) return this.#writes
    if (isOlder(tokenIssuedAtMs, this.#oldEvery)) return this.#oldEvery
    return isWrite && isOlder(tokenIssuedAtMs, this.#oldWrites) ? this.#oldWrites : undefined
  }
}

function laterOf(held: Lock | undefined, lock: Lock): Lock {
  return held !== undefined && (held.tokensBeforeMs ?? 0) >= (lock.tokensBeforeMs ?? 0) ? held : lock
}

function isOlder(tokenIssuedAtMs: number, lock: Lock | undefined): boolean {
  return lock !== undefined && tokenIssuedAtMs < (lock.tokensBeforeMs ?? 0)
}

type Slots = ReadonlyMap<string, Slot>

/** Names that mean something below an issuer only, and those that mean it whoever issued them. */
interface IssuedSlots {
  readonly byName: Slots
  readonly byIssuerAndName: Slots
}

/**
 * Which locks stop which calls. Made anew for each change, and asked once or twice by every call: each kind of scope is
 * one lookup in a map, whatever the number of locks, and none where no lock has that kind.
 */
export class LockIndex {
  readonly #isEmpty: boolean
  readonly #everywhere = new Slot()
  readonly #tenants: Slots
  readonly #agents: IssuedSlots
  readonly #principals: IssuedSlots
  readonly #connectors: Slots
  readonly #operations: Slots
  readonly #tasks: Slots
  readonly #keys: Slots
  readonly #tokens: Slots

  constructor(locks: readonly Lock[]) {
    this.#isEmpty = locks.length === 0
    for (const lock of locks)
      if (lock.scope.kind === 'all' || lock.scope.kind === 'writes') this.#everywhere.add(lock)
    this.#tenants = slotsOf('tenant', locks)
    this.#agents = issuedSlotsOf('agent', locks)
    this.#principals = issuedSlotsOf('principal', locks)
    this.#connectors = slotsOf('connector', locks)
    this.#operations = slotsOf('operation', locks)
    this.#tasks = slotsOf('task', locks)
    this.#keys = slotsOf('key', locks)
    this.#tokens = slotsOf('token', locks)
  }

  /** One of the locks that stop this call. */
  find({ caller, connector, operation, declared, peer }: LockableCall): Lock | undefined {
    if (this.#isEmpty) return undefined
    const { agent, principal, tokenIssuedAtMs: issuedAtMs } = caller
    const isWrite = operation.access !== 'read'
    let found =
      this.#everywhere.find(isWrite, issuedAtMs) ??
      find(this.#tenants, caller.tenant, isWrite, issuedAtMs) ??
      findIssued(this.#agents, agent.issuer, agent.id, isWrite, issuedAtMs) ??
      findIssued(this.#principals, agent.issuer, principal.id, isWrite, issuedAtMs) ??
      find(this.#connectors, connector.name, isWrite, issuedAtMs) ??
      find(this.#operations, operation.id, isWrite, issuedAtMs) ??
      find(this.#tasks, declared.task, isWrite, issuedAtMs) ??
      find(this.#keys, agent.key, isWrite, issuedAtMs) ??
      find(this.#keys, peer.certificate?.x5t ?? '', isWrite, issuedAtMs) ??
      find(this.#tokens, caller.tokenId, isWrite, issuedAtMs)
    // Who delegated is stopped with all that was done on its behalf (RFC 8693 §4.1), whichever of the two it is.
    for (const actor of principal.act)
      found ??=
        findIssued(this.#agents, agent.issuer, actor, isWrite, issuedAtMs) ??
        findIssued(this.#principals, agent.issuer, actor, isWrite, issuedAtMs)
    return found
  }
}

function find(slots: Slots, name: string, isWrite: boolean, issuedAtMs: number): Lock | undefined {
  return slots.size === 0 ? undefined : slots.get(name)?.find(isWrite, issuedAtMs)
}

function findIssued(
  { byName, byIssuerAndName }: IssuedSlots,
  issuer: string,
  name: string,
  isWrite: boolean,
  issuedAtMs: number,
): Lock | undefined {
  const found = find(byName, name, isWrite, issuedAtMs)
  if (found !== undefined || byIssuerAndName.size === 0) return found
  return find(byIssuerAndName, withIssuer(issuer, name), isWrite, issuedAtMs)
}

function issuedSlotsOf(kind: 'agent' | 'principal', locks: readonly Lock[]): IssuedSlots {
  const isBelowIssuer = ({ scope }: Lock): boolean => 'issuer' in scope && scope.issuer !== ''
  return {
    byName: slotsOf(
      kind,
      locks.filter((lock) => !isBelowIssuer(lock)),
    ),
    byIssuerAndName: slotsOf(kind, locks.filter(isBelowIssuer)),
  }
}

function slotsOf(kind: LockScopeKind, locks: readonly Lock[]): Slots {
  const slots = new Map<string, Slot>()
  for (const lock of locks) {
    const { scope } = lock
    if (scope.kind !== kind || !('name' in scope)) continue
    const name = 'issuer' in scope && scope.issuer !== '' ? withIssuer(scope.issuer, scope.name) : scope.name
    const slot = slots.get(name) ?? new Slot()
    slot.add(lock)
    slots.set(name, slot)
  }
  return slots
}

/** No name has a control character in it, so no name is taken for the two. */
function withIssuer(issuer: string, name: string): string {
  return `${issuer}\n${name}`
}
