import type { Egress } from '../egress/egress.ts'
import type { Answered } from '../exchange.ts'
import { pass } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'
import type { Intended } from './intend.ts'

/** Sends what is on record to the upstream, and waits for the header section of its answer; DESIGN §3, row 10. */
export function createForward(
  egress: Pick<Egress, 'forward'>,
): (intended: Intended) => Promise<Verdict<Answered>> {
  return async (intended) => {
    const { permit, request } = intended.sealed
    const { arrival, connector, operation } = permit.call
    const replied = await egress.forward({
      connector,
      request,
      signal: arrival.signal,
      repeatable: operation.access === 'read',
    })
    return replied.ok ? pass({ intended, upstream: replied.value }) : replied
  }
}
