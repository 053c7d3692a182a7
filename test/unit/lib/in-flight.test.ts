import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Entry, InFlight } from '../../../gateway/lib/in-flight.ts'

describe('the calls in flight', () => {
  it('are those that have entered and not left, as a set would have it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat()), { maxLength: 200 }), (steps) => {
        const inFlight = new InFlight<number>()
        const entries: Entry<number>[] = []
        const wanted = new Set<number>()
        for (const [number, [enters, which]] of steps.entries()) {
          const entry = entries[which % Math.max(1, entries.length)]
          if (enters || entry === undefined) {
            entries.push(inFlight.enter(number))
            wanted.add(number)
          } else {
            // Often one that has left already.
            inFlight.leave(entry)
            wanted.delete(entry.call)
          }
          expect(inFlight.size).toBe(wanted.size)
          expect(new Set(inFlight)).toEqual(wanted)
        }
      }),
    )
  })

  it('are all visited, although each leaves when it is', () => {
    const inFlight = new InFlight<number>()
    const entries = [1, 2, 3, 4, 5].map((call) => inFlight.enter(call))
    const visited = []
    for (const call of inFlight) {
      visited.push(call)
      for (const entry of entries) if (entry.call === call) inFlight.leave(entry)
    }
    expect(visited.sort((one, other) => one - other)).toEqual([1, 2, 3, 4, 5])
    expect(inFlight.size).toBe(0)
  })

  it('may be the same call twice', () => {
    const inFlight = new InFlight<string>()
    const first = inFlight.enter('call')
    inFlight.enter('call')
    inFlight.leave(first)
    inFlight.leave(first)
    expect([...inFlight]).toEqual(['call'])
  })
})
