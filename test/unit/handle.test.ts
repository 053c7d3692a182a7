import { expect, it, vi } from 'vitest'
import { handle } from '../../gateway/handle.ts'
import type { Reply } from '../../gateway/listen/reply.ts'
import { pass, refuse } from '../../gateway/refusal.ts'
import type { Lease } from '../../gateway/settlement.ts'
import type { Stages } from '../../gateway/stages/stages.ts'
import { permitted } from '../harness/permitted.ts'
import { syntheticCall, syntheticOutcome } from '../harness/synthetic-call.ts'

const unreachable = (): never => {
  throw new Error('no stage after seal is reached')
}

/** A call that gets as far as seal, where its credential is missing. */
function stagesUpToSeal(call: ReturnType<typeof syntheticCall>) {
  return {
    receive: () => pass(call),
    identify: () => pass(call),
    route: () => pass(call),
    admit: () => pass(call),
    answer: unreachable,
    read: () => pass(call),
    recall: () => pass(call),
    reserve: () => pass(call),
    claim: () => pass(call),
    present: () => pass(call),
    decide: () => pass(call),
    approve: () => pass(permitted(call)),
    seal: () => refuse('credential.unavailable'),
    intend: unreachable,
    forward: unreachable,
    relay: unreachable,
    record: vi.fn<Stages['record']>().mockResolvedValue(undefined),
  } satisfies Stages
}

const reply: Reply = {
  refuse: ({ code }) => syntheticOutcome({ code }),
  begin: unreachable,
  continue: () => undefined,
}

it('a call that stops at a stage gives back what it held, and is on record as refused and never sent', async () => {
  const settle = vi.fn<Lease['settle']>()
  const held = { ...syntheticCall(), lease: { settle }, reservation: { settle }, claim: { settle } }
  const stages = stagesUpToSeal(held)
  await handle(stages, held.arrival, reply)
  const settlement = { outcome: 'credential.unavailable', attempted: false, upstreamStatus: 0, upstreamMs: 0 }
  expect(settle.mock.calls).toEqual([[settlement], [settlement], [settlement]])
  expect(stages.record).toHaveBeenCalledExactlyOnceWith(
    held,
    expect.objectContaining({ code: 'credential.unavailable' }),
    false,
  )
})

it('a place that cannot be given back keeps no call off the record, and is a fault', async () => {
  const settle = (): never => {
    throw new Error('the store is broken')
  }
  const held = { ...syntheticCall(), lease: { settle } }
  const stages = stagesUpToSeal(held)
  await expect(handle(stages, held.arrival, reply)).rejects.toThrow('the store is broken')
  expect(stages.record).toHaveBeenCalledOnce()
})
