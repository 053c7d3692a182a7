import type {
  Admitted,
  Answered,
  Arrival,
  Claimed,
  Decided,
  Identified,
  Presented,
  Progress,
  ReadCall,
  Received,
  Reserved,
  Routed,
  Sealed,
} from '../exchange.ts'
import type { Outcome } from '../outcome.ts'
import type { Reply } from '../listen/reply.ts'
import type { Verdict } from '../refusal.ts'
import type { Permit } from './approve.ts'
import type { Intended } from './intend.ts'

type Awaitable<T> = T | Promise<T>

/** The verbs of a call's life, each bound to its dependencies by bind-stages.ts. */
export interface Stages {
  receive(arrival: Arrival): Verdict<Received>
  identify(received: Received): Awaitable<Verdict<Identified>>
  route(identified: Identified): Verdict<Routed>
  admit(routed: Routed): Awaitable<Verdict<Admitted>>
  /** Instead of all that follows, for a call to the gateway itself. */
  answer(admitted: Admitted, reply: Reply): Promise<Outcome>
  read(admitted: Admitted, reply: Reply): Awaitable<Verdict<ReadCall>>
  recall(read: ReadCall): Awaitable<Verdict<ReadCall>>
  reserve(read: ReadCall): Awaitable<Verdict<Reserved>>
  /** A promise only where the call has an `Idempotency-Key`. */
  claim(reserved: Reserved): Awaitable<Verdict<Claimed>>
  /** A promise only where the call names an approval. */
  present(claimed: Claimed): Awaitable<Verdict<Presented>>
  /** A promise only where policy is evaluated in another thread, or the decision log has to have room first. */
  decide(presented: Presented): Awaitable<Verdict<Decided>>
  /** A promise only where people are asked, or were. */
  approve(decided: Decided): Awaitable<Verdict<Permit>>
  seal(permit: Permit): Awaitable<Verdict<Sealed>>
  intend(sealed: Sealed): Awaitable<Verdict<Intended>>
  forward(intended: Intended): Promise<Verdict<Answered>>
  relay(answered: Answered, reply: Reply): Promise<Outcome>
  /** Never throws: what cannot be recorded makes the process not ready. */
  record(call: Progress, outcome: Outcome, attempted: boolean): Promise<void>
}
