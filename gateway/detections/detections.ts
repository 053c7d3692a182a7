import type { ApprovalEvent } from '../approvals/approval-event.ts'
import type { DetectionConfig, DetectionsConfig } from '../config/detections-config.ts'
import type { Progress } from '../exchange.ts'
import type { Clock } from '../lib/clock.ts'
import { keyPart } from '../limits/key-part.ts'
import type { SightingStore } from '../store/sighting-store.ts'
import { approvalSightings } from './approval-sightings.ts'
import { agentSubject, type EndedCall, lockableOf, sighting, sightingsOf } from './call-sightings.ts'
import type { Detection, DetectionLock } from './detection.ts'
import { ruleOf } from './rules.ts'
import type { Lockable, Sighting } from './sighting.ts'
import { Workloads } from './workloads.ts'

export interface WantedDetectionLock {
  readonly on: Lockable
  readonly reason: string
  readonly writesOnly: boolean
  readonly expiresAtMs: number
}

export interface DetectionsOptions {
  readonly store: SightingStore
  readonly clock: Pick<Clock, 'nowMs'>
  readonly newId: () => string
  /** Sets a lock and answers what it is on, and its id; rejects where it cannot. */
  readonly lock: (wanted: WantedDetectionLock) => Promise<DetectionLock>
  /** Told of everything raised: log, metrics, record, people. Must not throw. */
  readonly onRaised: (detection: Detection) => void
  readonly onLockFailed: (detection: Detection, cause: unknown) => void
  readonly onFault: (cause: unknown) => void
}

/** Sightings that may be under way at once; beyond, the store is too slow, and more would only fill the memory. */
const MOST_UNDER_WAY = 1_000

/**
 * Looks at how calls ended and what became of approvals, and raises what the rules look out for. It is told after the reply
 * and nobody waits for it: no call is slower for it, and none is stopped but by a lock that it sets.
 */
export class Detections implements AsyncDisposable {
  readonly #options: DetectionsOptions
  readonly #workloads: Workloads
  readonly #underWay = new Set<Promise<void>>()
  #config: DetectionsConfig

  constructor(config: DetectionsConfig, options: DetectionsOptions) {
    this.#config = config
    this.#options = options
    this.#workloads = new Workloads(options.store, () => options.clock.nowMs())
  }

  /** Takes the rules of a configuration read anew; what was counted stays. */
  use(config: DetectionsConfig): void {
    this.#config = config
  }

  /** A call is over. */
  callEnded(ended: EndedCall): void {
    const { call } = ended
    for (const each of sightingsOf(ended, this.#config)) this.#start(() => this.#see(each))
    const looksForMoves = call.lease !== undefined && this.#config.token_moved.action !== 'off'
    if (looksForMoves && !this.#workloads.isInPlace(call)) this.#start(() => this.#lookForMoves(call))
  }

  approvalEvent(event: ApprovalEvent): void {
    for (const each of approvalSightings(event)) this.#start(() => this.#see(each))
  }

  /** Waits for what is under way, which ends by itself: the store answers in time or not at all. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#underWay)
  }

  #start(work: () => Promise<void>): void {
    if (this.#underWay.size >= MOST_UNDER_WAY) return
    const running = work()
      .catch(this.#options.onFault)
      .finally(() => this.#underWay.delete(running))
    this.#underWay.add(running)
  }

  async #lookForMoves(call: Progress): Promise<void> {
    const { caller } = call
    const detail = await this.#workloads.movedIn(call)
    if (detail === '' || caller === undefined) return
    const seen = sighting('token_moved', agentSubject(caller), call, detail)
    await this.#see({ ...seen, lockable: lockableOf(caller) })
  }

  async #see(seen: Sighting): Promise<void> {
    const config = this.#config[seen.rule]
    if (config.action === 'off') return
    const { store, clock, newId } = this.#options
    const threshold = seen.counted === undefined ? config.threshold : 1
    const answer = await store.see(keyOf(seen), { threshold, windowMs: config.windowMs })
    if (answer.kind === 'counted') return
    const { count, windowMs } = seen.counted ?? { ...answer, windowMs: config.windowMs }
    await this.#raise(seen, config, {
      id: newId(),
      rule: seen.rule,
      severity: ruleOf(seen.rule).severity,
      subject: seen.subject,
      seen: seen.seen,
      detail: seen.detail,
      count,
      suppressed: answer.suppressed,
      windowMs,
      atMs: clock.nowMs(),
      lock: undefined,
    })
  }

  /** First the lock: what has to stop waits for nobody who reads of it. */
  async #raise({ lockable }: Sighting, config: DetectionConfig, detection: Detection): Promise<void> {
    const { lock, onRaised, onLockFailed } = this.#options
    const on = config.action === 'lock' ? lockable.find(({ kind }) => kind === config.lock.scope) : undefined
    if (on === undefined) return onRaised(detection)
    const { title } = ruleOf(detection.rule)
    try {
      const set = await lock({
        on,
        reason: `${title} (detection ${detection.id})`,
        writesOnly: config.lock.writesOnly,
        expiresAtMs: detection.atMs + config.lock.forMs,
      })
      onRaised({ ...detection, lock: set })
    } catch (cause) {
      onRaised(detection)
      onLockFailed(detection, cause)
    }
  }
}

function keyOf({ rule, subject, about }: Sighting) {
  const { kind, tenant, issuer, name } = subject
  const parts = [rule, kind, issuer, name, about].map(keyPart)
  // No tenant is called so: what it would be encoded to begins with a hexadecimal digit.
  const tag = kind === 'agent' ? keyPart(tenant) : `%${kind}s`
  return { tag: `{${tag}}`, name: parts.join(':'), isProven: kind !== 'peer' }
}
