import { expect, it } from 'vitest'
import { HeldPlaces } from '../../../gateway/approvals/held-places.ts'

function places(most: number) {
  let turnedAway = 0
  const held = new HeldPlaces({ most, onFull: () => (turnedAway += 1) })
  return { held, turnedAway: () => turnedAway }
}

it('so many calls are held as there are places, and one that leaves makes room once', () => {
  const { held, turnedAway } = places(1)
  const first = held.take()
  expect([held.taken, held.take(), turnedAway()]).toEqual([1, undefined, 1])
  first?.[Symbol.dispose]()
  first?.[Symbol.dispose]()
  expect(held.taken).toBe(0)
  expect(held.take()).toBeDefined()
})

it('where no call may be held, none is missed', () => {
  const { held, turnedAway } = places(0)
  expect([held.take(), turnedAway()]).toEqual([undefined, 0])
})

it('at the end those that are held are ended, and no further one is taken or missed', () => {
  const { held, turnedAway } = places(2)
  const { signal } = held.take() ?? {}
  held.end()
  expect([signal?.aborted, held.take(), turnedAway()]).toEqual([true, undefined, 0])
})
