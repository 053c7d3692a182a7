// Compiled, never run: a path that skips policy or approval has no permit, and there is no other way to one.
import type { Decided, ReadCall } from '../../gateway/exchange.ts'
import type { createApprove, Permit } from '../../gateway/stages/approve.ts'

declare const decided: Decided
declare const read: ReadCall
declare const approve: ReturnType<typeof createApprove>
declare function seal(permit: Permit): void

const verdict = await approve(decided)
if (verdict.ok) seal(verdict.value)

// @ts-expect-error The class is exported as a type only.
export const made = new Permit(decided)

// @ts-expect-error A look-alike lacks the private member.
export const lookAlike: Permit = { call: decided }

class Impostor {
  readonly #call: Decided = decided
  get call(): Decided {
    return this.#call
  }
}

// @ts-expect-error A private member of the same name is another member.
export const impostor: Permit = new Impostor()

// @ts-expect-error What was decided is not yet permitted.
seal(decided)

// @ts-expect-error What was only read was never decided.
void approve(read)

// @ts-expect-error A verdict is not a permit until somebody looked at it.
seal(await approve(decided))

if (!verdict.ok) {
  // @ts-expect-error A refusal carries no permit.
  seal(verdict.value)
}
