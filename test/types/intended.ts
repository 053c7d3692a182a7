// Compiled, never run: nothing can be forwarded that was not put on record, because there is no other way to this type.
import type { Recorder } from '../../gateway/audit/recorder.ts'
import type { Sealed } from '../../gateway/exchange.ts'
import { createIntend } from '../../gateway/stages/intend.ts'
import type { Intended } from '../../gateway/stages/intend.ts'

declare const sealed: Sealed
declare const recorder: Recorder
declare function forward(intended: Intended): void

const verdict = await createIntend(recorder)(sealed)
if (verdict.ok) forward(verdict.value)

// @ts-expect-error The class is exported as a type only.
export const made = new Intended(sealed, { epoch: 'e', index: 0 })

// @ts-expect-error A look-alike lacks the private members.
export const lookAlike: Intended = { sealed, position: { epoch: 'e', index: 0 } }

// @ts-expect-error What was sealed is not yet on record.
forward(sealed)

// @ts-expect-error A verdict is not an intent on record until somebody looked at it.
forward(verdict)

if (!verdict.ok) {
  // @ts-expect-error A refusal is not an intent on record.
  forward(verdict.value)
}
