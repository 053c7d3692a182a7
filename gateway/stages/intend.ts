import type { Recorder } from '../audit/recorder.ts'
import type { Position } from '../audit/audit-log.ts'
import type { Sealed } from '../exchange.ts'
import { pass, type Verdict } from '../refusal.ts'

/**
 * Proof that the intent of this call is on record, as durable as its access demands. Only the type leaves this file,
 * and the private member keeps look-alikes out, so nothing can be forwarded that was not put on record first.
 */
class Intended {
  readonly #sealed: Sealed
  readonly #position: Position

  constructor(sealed: Sealed, position: Position) {
    this.#sealed = sealed
    this.#position = position
  }

  get sealed(): Sealed {
    return this.#sealed
  }

  /** Where in the audit log the intent stands. */
  get position(): Position {
    return this.#position
  }
}

export type { Intended }

/** Puts the intent on record before the first byte goes upstream; DESIGN §3, row 9. */
export function createIntend(
  recorder: Pick<Recorder, 'intend'>,
): (sealed: Sealed) => Promise<Verdict<Intended>> {
  return async (sealed) => {
    const recorded = await recorder.intend(sealed)
    return recorded.ok ? pass(new Intended(sealed, recorded.value)) : recorded
  }
}
