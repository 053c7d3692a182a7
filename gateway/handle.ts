import { OWN_CONNECTOR } from './catalog/own-connector.ts'
import type { Arrival, Progress } from './exchange.ts'
import type { Outcome } from './outcome.ts'
import { refusalCodeOf } from './fault.ts'
import type { Reply } from './listen/reply.ts'
import type { Refusal } from './refusal.ts'
import type { Stages } from './stages/stages.ts'

/** The whole life of one call, top to bottom. Every verb is one file in stages/; PIPELINE.md walks through them. */
export async function handle(stages: Stages, arrival: Arrival, reply: Reply): Promise<void> {
  let call: Progress = { arrival }
  let outcome: Outcome | undefined
  let attempted = false
  const stop = (refusal: Refusal): void => {
    outcome = reply.refuse(refusal, call)
  }
  try {
    const received = stages.receive(arrival)
    if (!received.ok) return stop(received.refusal)
    call = received.value
    const identified = await stages.identify(received.value)
    if (!identified.ok) return stop(identified.refusal)
    call = identified.value
    const routed = stages.route(identified.value)
    if (!routed.ok) return stop(routed.refusal)
    call = routed.value
    const admitted = await stages.admit(routed.value)
    if (!admitted.ok) return stop(admitted.refusal)
    call = admitted.value
    if (admitted.value.connector === OWN_CONNECTOR) {
      outcome = await stages.answer(admitted.value, reply)
      return
    }
    const read = await stages.read(admitted.value, reply)
    if (!read.ok) return stop(read.refusal)
    call = read.value
    const recalled = await stages.recall(read.value)
    if (!recalled.ok) return stop(recalled.refusal)
    const reserved = await stages.reserve(recalled.value)
    if (!reserved.ok) return stop(reserved.refusal)
    call = reserved.value
    const claimed = await stages.claim(reserved.value)
    if (!claimed.ok) return stop(claimed.refusal)
    call = claimed.value
    const presented = await stages.present(claimed.value)
    if (!presented.ok) return stop(presented.refusal)
    call = presented.value
    const deciding = stages.decide(presented.value)
    const decided = deciding instanceof Promise ? await deciding : deciding
    if (!decided.ok) return stop(decided.refusal)
    call = decided.value
    const permit = await stages.approve(decided.value)
    if (!permit.ok) return stop(permit.refusal)
    call = permit.value.call
    const sealed = await stages.seal(permit.value)
    if (!sealed.ok) return stop(sealed.refusal)
    const intended = await stages.intend(sealed.value)
    if (!intended.ok) return stop(intended.refusal)
    attempted = true
    const answered = await stages.forward(intended.value)
    if (!answered.ok) return stop(answered.refusal)
    outcome = await stages.relay(answered.value, reply)
  } catch (cause) {
    stop({ code: refusalCodeOf(cause), cause })
  } finally {
    outcome ??= reply.refuse({ code: 'gateway.fault' }, call)
    await conclude(stages, call, outcome, attempted)
  }
}

/** Gives back what the call held, and puts it on record, also where the first of these fails. */
async function conclude(
  { record }: Pick<Stages, 'record'>,
  call: Progress,
  outcome: Outcome,
  attempted: boolean,
): Promise<void> {
  const { code, upstreamStatus, upstreamMs } = outcome
  const settlement = { outcome: code, attempted, upstreamStatus, upstreamMs }
  try {
    call.lease?.settle(settlement)
    call.reservation?.settle(settlement)
    call.claim?.settle(settlement)
  } finally {
    await record(call, outcome, attempted)
  }
}
