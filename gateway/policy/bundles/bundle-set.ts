import type { Clock } from '../../lib/clock.ts'
import { BundleError } from './bundle-error.ts'
import type { BundleProblem } from './bundle-error.ts'
import { BundleSlot } from './bundle-slot.ts'
import type { BundleOrigin, BundleVersion, SlotStatus } from './bundle-slot.ts'
import type { Taking } from './bundle-source.ts'
import type { BundlePart } from './open-bundles.ts'

export interface BundleSetOptions<T> {
  readonly origins: readonly BundleOrigin[]
  /** Makes what these bundles are together, or gives `current` back when it already is that. */
  readonly activate: (parts: readonly BundlePart[], current: T | undefined) => Promise<T>
  readonly events: BundleSetEvents<T>
  readonly clock: Clock
}

/** `behind` says how many bundles are older than what their sources give, because that was refused. */
export interface BundleSetEvents<T> {
  onActivated(current: T, behind: number): void
  onRejected(bundle: string, problem: BundleProblem, error: Error): void
  /** After a rejection, the bundle in force turned out to be the newest after all. */
  onConfirmed(bundle: string, behind: number): void
}

type Choice = (slot: BundleSlot) => BundleVersion | undefined

/**
 * Keeps several bundles current that are in force together or not at all: whenever one of them is another, what all of
 * them make is made anew beside the old, and takes its place only if nothing is wrong with it.
 */
export class BundleSet<T extends Disposable> implements AsyncDisposable {
  readonly #options: BundleSetOptions<T>
  readonly #slots: readonly BundleSlot[]
  readonly #reading = new Map<BundleSlot, Promise<Taking>>()
  #activating: Promise<Taking> = Promise.resolve('unchanged')
  #current: T | undefined
  #isClosed = false

  constructor(options: BundleSetOptions<T>) {
    this.#options = options
    this.#slots = options.origins.map((origin) => new BundleSlot(origin, options.clock))
  }

  /** `undefined` before a first activation. */
  get current(): T | undefined {
    return this.#current
  }

  status(): readonly SlotStatus[] {
    return this.#slots.map((slot) => slot.status())
  }

  /** The version in force of each bundle; none before a first activation. */
  inForce(): readonly BundleVersion[] {
    return this.#slots.flatMap(({ inForce }) => inForce ?? [])
  }

  /**
   * Takes the newest of each bundle, or the one that was kept when the gateway last ran where there is none, or there
   * is something wrong with it.
   *
   * @throws BundleError when the bundles cannot be activated either way
   */
  async start(): Promise<void> {
    await Promise.all(this.#slots.map(readFirst))
    const started = await this.#activateFirst()
    const older = this.#slots.filter(({ startedFrom }) => startedFrom !== undefined)
    for (const slot of this.#slots) if (slot.newest !== undefined) slot.put(slot.newest)
    this.#current = started
    this.#options.events.onActivated(started, older.length)
    for (const slot of this.#slots) {
      if (slot.startedFrom !== undefined) this.#reject(slot, slot.startedFrom.failure)
      else if (slot.newest !== undefined) await slot.origin.source.taken(slot.newest, true)
    }
  }

  /** Follows the sources from now on. */
  follow(): void {
    for (const slot of this.#slots) slot.origin.source.follow(() => this.#reload(slot))
  }

  /** Asks every source now. A bundle that fails any check leaves what is in force in place; the result says so. */
  async reload(): Promise<Taking> {
    const takings = await Promise.all(this.#slots.map((slot) => this.#reload(slot)))
    return (['rejected', 'activated'] as const).find((taking) => takings.includes(taking)) ?? 'unchanged'
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    for (const { origin } of this.#slots) origin.source[Symbol.dispose]()
    await Promise.all(this.#reading.values())
    await this.#activating
    this.#current?.[Symbol.dispose]()
  }

  async #activateFirst(): Promise<T> {
    for (;;) {
      try {
        return await this.#options.activate(
          this.#chosen((slot) => slot.newest),
          undefined,
        )
      } catch (thrown) {
        if (await this.#fallBack(thrown)) continue
        const failed = this.#blamed(thrown).find(({ startedFrom }) => startedFrom !== undefined)
        throw failed === undefined ? thrown : unusable(failed.startedFrom?.failure, thrown)
      }
    }
  }

  /** Takes the kept one of the bundle at fault; of the others, too, where what was kept may fit what was kept alone. */
  async #fallBack(thrown: unknown): Promise<boolean> {
    const isMisfit = thrown instanceof BundleError && thrown.problem === 'roots'
    for (const slots of [this.#blamed(thrown), isMisfit ? this.#slots : []]) {
      const fresh = slots.filter(({ startedFrom }) => startedFrom === undefined)
      const replaced = await Promise.all(fresh.map((slot) => slot.useKept(thrown)))
      if (replaced.includes(true)) return true
    }
    return false
  }

  /** The bundle that an error names, or all of them where it names none. */
  #blamed(thrown: unknown): readonly BundleSlot[] {
    const name = thrown instanceof BundleError ? thrown.bundle : undefined
    return this.#slots.filter(({ origin }) => name === undefined || origin.name === name)
  }

  /** Reads one source; waits for no other, because a service may hold its answer for minutes. */
  #reload(slot: BundleSlot): Promise<Taking> {
    const before = this.#reading.get(slot) ?? Promise.resolve()
    const taking = before.then(async (): Promise<Taking> => {
      try {
        await slot.read()
      } catch (thrown) {
        this.#reject(slot, thrown)
        return 'rejected'
      }
      // One after the other, so that the last bundle to be read is the last to be swapped in.
      this.#activating = this.#activating.then(() => this.#take(slot))
      return this.#activating
    })
    this.#reading.set(slot, taking)
    return taking
  }

  async #take(slot: BundleSlot): Promise<Taking> {
    const before = this.#current
    // Nothing is in force, and another one has still to come: it is not this one's fault.
    if (this.#slots.some(({ inForce, newest }) => (inForce ?? newest) === undefined)) return 'rejected'
    let refusal: unknown
    for (const choice of this.#choices(slot)) {
      if (this.#isClosed) return 'unchanged'
      try {
        const next = await this.#options.activate(this.#chosen(choice), before)
        if (this.#isClosed) {
          if (next !== before) next[Symbol.dispose]()
          return 'unchanged'
        }
        await this.#settle(choice, slot, next)
        return next === before ? 'unchanged' : 'activated'
      } catch (thrown) {
        refusal = thrown
      }
    }
    this.#reject(this.#culprit(slot, refusal), refusal)
    return 'rejected'
  }

  /** Whose version is refused: that of the bundle at fault, unless the one that it has is in force. */
  #culprit(asked: BundleSlot, refusal: unknown): BundleSlot {
    const name = refusal instanceof BundleError ? refusal.bundle : undefined
    const named = this.#slots.find(({ origin }) => origin.name === name)
    return named !== undefined && named.newest !== named.inForce ? named : asked
  }

  /**
   * A bundle that was refused only for its roots may fit the new version of another one: what moves from one bundle to
   * another comes into force with both, or with neither.
   */
  #choices(slot: BundleSlot): readonly Choice[] {
    const alone: Choice = (other) => (other === slot ? other.newest : (other.inForce ?? other.newest))
    const waits = (other: BundleSlot): boolean => other !== slot && other.rejected?.problem === 'roots'
    if (!this.#slots.some(waits)) return [alone]
    return [(other) => (waits(other) ? other.newest : alone(other)), alone]
  }

  #chosen(choice: Choice): readonly BundlePart[] {
    return this.#slots.map((slot) => {
      const part = choice(slot)
      if (part === undefined)
        throw new BundleError('unreadable', `the bundle ${slot.origin.name} is not there yet`)
      return part
    })
  }

  async #settle(choice: Choice, asked: BundleSlot, next: T): Promise<void> {
    const { events } = this.#options
    const before = this.#current
    this.#current = next
    const confirmed: BundleSlot[] = []
    const taken: (() => Promise<void>)[] = []
    for (const slot of this.#slots) {
      const version = choice(slot)
      if (version === undefined) continue
      const other = slot.put(version)
      if (!other && slot !== asked) continue
      if (slot.confirm() && !other) confirmed.push(slot)
      taken.push(() => slot.origin.source.taken(version, other))
    }
    const behind = this.#slots.filter(({ rejected }) => rejected !== undefined).length
    if (next !== before) {
      before?.[Symbol.dispose]()
      events.onActivated(next, behind)
    }
    for (const { origin } of confirmed) events.onConfirmed(origin.name, behind)
    for (const tell of taken) await tell()
  }

  #reject(slot: BundleSlot, thrown: unknown): void {
    if (this.#isClosed) return
    const { problem, error } = slot.reject(thrown)
    this.#options.events.onRejected(slot.origin.name, problem, error)
  }
}

async function readFirst(slot: BundleSlot): Promise<void> {
  try {
    await slot.read()
    if (slot.newest === undefined)
      throw new BundleError('service', 'there is no bundle in force to go on with')
  } catch (thrown) {
    const named = thrown instanceof BundleError ? thrown.of(slot.origin.name) : thrown
    if (!(await slot.useKept(named))) throw named
  }
}

/** Neither the newest bundle nor the kept one: whoever starts the gateway has to hear of both. */
function unusable(newest: unknown, cause: unknown): unknown {
  if (!(newest instanceof Error && cause instanceof BundleError)) return cause
  const message = `${newest.message}; the bundle kept from an earlier run is of no use either: ${cause.message}`
  return new BundleError(cause.problem, message, { cause, bundle: cause.bundle })
}
