import type { ServerResponse } from 'node:http'
import type { Progress } from '../exchange.ts'
import type { Outcome } from '../outcome.ts'
import type { Refusal } from '../refusal.ts'

/** The way back to the caller, in the dialect of the addressed connector. */
export interface Reply {
  /**
   * Sends the refusal, or destroys the connection when a header section is already out. Never throws.
   * Closes the connection where framing is in doubt or the body was left unread.
   */
  refuse(refusal: Refusal, call: Progress): Outcome
  /**
   * Starts the upstream's answer: adds `Toolgate-Call-Id`, `Toolgate-Decision`, limit and nonce headers to an
   * already filtered flat header list, and returns the stream to write the body to.
   */
  begin(status: number, headers: readonly string[], call: Progress): ServerResponse
  /** Answers `Expect: 100-continue`; called by read once the call may send its body. */
  continue(): void
}
