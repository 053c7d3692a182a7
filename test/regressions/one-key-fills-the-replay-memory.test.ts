import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createEmbeddedAdmissionStore } from '../../gateway/store/embedded-admission-store.ts'
import { createGuardedAdmissionStore } from '../../gateway/store/guarded-admission-store.ts'
import { virtualClock } from '../harness/virtual-clock.ts'
import { admissionDemand, admitted, proof, rate } from '../unit/store/admission-demand.ts'

const capacity = { replays: 80, counters: 10, agents: 10 }
const MOST_OF_ONE_KEY = 10
const proofLifetimeMs = 70_000

// Proofs are remembered before any limit is asked: an agent that was refused by its rate limit again and again filled
// the memory all the same, and from then on every other agent was refused as well.
describe('an agent that makes proofs without end', () => {
  const clock = virtualClock()
  const store = createEmbeddedAdmissionStore({ clock, proofLifetimeMs, capacity })
  const callBy = (jkt: string, jti: string = randomUUID()) =>
    store.admit(admissionDemand({ replay: proof(clock.nowMs(), jti, jkt), rates: [rate(jkt, 1)] }))

  it('is refused itself once its key has its share, and nobody else is', () => {
    const answers = Array.from({ length: 500 }, () => callBy('hostile'))
    expect(answers.at(-1)).toMatchObject({ kind: 'limited', name: 'proofs-of-one-key' })
    admitted(callBy('other'))
  })

  it('is still found out when it uses a proof twice', () => {
    const key = 'greedy'
    admitted(callBy(key, 'first'))
    for (let made = 0; made < 2 * MOST_OF_ONE_KEY; made += 1) callBy(key)
    expect(callBy(key, 'first')).toEqual({ kind: 'replayed' })
  })

  it('may go on when its proofs have ended, though nobody else made any meanwhile', () => {
    clock.advance(proofLifetimeMs + 1)
    expect(callBy('hostile')).toMatchObject({ kind: 'admitted' })
  })
})

it('does not reach the shared store with more proofs than its share either', async () => {
  const clock = virtualClock()
  let asked = 0
  const store = createGuardedAdmissionStore({
    shared: {
      admit: async () => {
        asked += 1
        return { kind: 'replayed' }
      },
      probe: async () => undefined,
      reconnect: () => undefined,
      close: async () => undefined,
    },
    local: createEmbeddedAdmissionStore({ clock, proofLifetimeMs, capacity, count: 'share' }),
    onFailure: { read: 'closed', write: 'closed' },
    shares: 1,
  })
  await store.opened
  for (let made = 0; made < 500; made += 1) {
    await store.admit(admissionDemand({ replay: proof(clock.nowMs()) }))
  }
  expect(asked).toBe(MOST_OF_ONE_KEY)
  await store.close()
})
