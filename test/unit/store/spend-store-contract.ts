import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { CallId } from '../../../gateway/exchange.ts'
import type { SpendAnswer, SpendDemand, SpendStore } from '../../../gateway/store/spend-store.ts'

export interface SpendStoreUnderTest extends AsyncDisposable {
  readonly store: SpendStore
  /** Resolves once every settlement so far is counted. */
  settled(): Promise<void>
}

/** Ten euros in a task, unless asked for something else. */
export function spendDemand(wanted: Partial<SpendDemand> = {}): SpendDemand {
  return {
    callId: randomUUID() as CallId,
    tag: '{zyx}',
    agent: 'issuer:payments',
    task: 'CHG-1',
    day: '2026-11-23',
    currency: 'EUR',
    minor: 1_000,
    ...wanted,
  }
}

export type Reserved = Extract<SpendAnswer, { kind: 'reserved' }>

/** The answer as a reservation; anything else fails the test with what it was. */
export function reserved(answer: SpendAnswer): Reserved {
  if (answer.kind === 'reserved') return answer
  throw new Error('expected a reservation', { cause: answer.cause })
}

/** What every spend store has to do, whatever it is made of. */
export function describeSpendStore(name: string, start: () => Promise<SpendStoreUnderTest>): void {
  describe(`spend by ${name}`, () => {
    it('shows what was spent and what calls in flight hold, before this call', async () => {
      await using under = await start()
      const { store } = under
      const first = reserved(await store.reserve(spendDemand()))
      expect(first).toMatchObject({ dayMinor: 0, taskMinor: 0 })
      first.settle('kept')
      await under.settled()
      expect(reserved(await store.reserve(spendDemand()))).toMatchObject({
        dayMinor: 1_000,
        taskMinor: 1_000,
      })
      expect(reserved(await store.reserve(spendDemand()))).toMatchObject({
        dayMinor: 2_000,
        taskMinor: 2_000,
      })
    })

    it('never shows the same room to two of twenty calls at once', async () => {
      await using under = await start()
      const answers = await Promise.all(
        Array.from({ length: 20 }, async () => under.store.reserve(spendDemand())),
      )
      const seen = answers.map((answer) => reserved(answer).dayMinor).sort((one, other) => one - other)
      expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => index * 1_000))
    })

    it('gives back what was released, once, however often it is settled', async () => {
      await using under = await start()
      const { store } = under
      reserved(await store.reserve(spendDemand())).settle('kept')
      const twice = reserved(await store.reserve(spendDemand()))
      twice.settle('released')
      twice.settle('released')
      twice.settle('kept')
      await under.settled()
      expect(reserved(await store.reserve(spendDemand()))).toMatchObject({
        dayMinor: 1_000,
        taskMinor: 1_000,
      })
    })

    it('does not give back what was kept first', async () => {
      await using under = await start()
      const { store } = under
      const call = reserved(await store.reserve(spendDemand()))
      call.settle('kept')
      call.settle('released')
      await under.settled()
      expect(reserved(await store.reserve(spendDemand())).dayMinor).toBe(1_000)
    })

    it('counts what nobody settles as spent', async () => {
      await using under = await start()
      reserved(await under.store.reserve(spendDemand()))
      expect(reserved(await under.store.reserve(spendDemand())).dayMinor).toBe(1_000)
    })

    it.each([
      ['tenant', { tag: '{other}' }],
      ['agent', { agent: 'issuer:other' }],
      ['currency', { currency: 'USD' }],
    ])('keeps what another %s spends apart', async (_what, other) => {
      await using under = await start()
      reserved(await under.store.reserve(spendDemand()))
      expect(reserved(await under.store.reserve(spendDemand(other)))).toMatchObject({
        dayMinor: 0,
        taskMinor: 0,
      })
    })

    it('begins a day anew, and goes on with a task that runs over midnight', async () => {
      await using under = await start()
      reserved(await under.store.reserve(spendDemand()))
      const tomorrow = reserved(await under.store.reserve(spendDemand({ day: '2026-11-24' })))
      expect(tomorrow).toMatchObject({ dayMinor: 0, taskMinor: 1_000 })
    })

    it('counts every task in the day, and no task in none', async () => {
      await using under = await start()
      const { store } = under
      reserved(await store.reserve(spendDemand()))
      expect(reserved(await store.reserve(spendDemand({ task: 'CHG-2' })))).toMatchObject({
        dayMinor: 1_000,
        taskMinor: 0,
      })
      expect(reserved(await store.reserve(spendDemand({ task: '' })))).toMatchObject({
        dayMinor: 2_000,
        taskMinor: 0,
      })
    })

    it('is exact where sums are large, and closed where they could not be exact', async () => {
      await using under = await start()
      const { store } = under
      const most = 999_999_999_999_999
      for (let count = 0; count < 9; count++) {
        expect(reserved(await store.reserve(spendDemand({ minor: most }))).dayMinor).toBe(count * most)
      }
      expect(await store.reserve(spendDemand({ minor: most }))).toMatchObject({ kind: 'unavailable' })
      expect(reserved(await store.reserve(spendDemand({ minor: 1 }))).dayMinor).toBe(9 * most)
    })
  })
}
