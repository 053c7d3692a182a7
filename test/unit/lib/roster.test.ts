import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Entry, Roster } from '../../../gateway/lib/roster.ts'

describe('a roster of calls', () => {
  it('has those that have entered and not left, as a set would have it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat()), { maxLength: 200 }), (steps) => {
        const roster = new Roster<number>()
        const entries: Entry<number>[] = []
        const wanted = new Set<number>()
        for (const [number, [enters, which]] of steps.entries()) {
          const entry = entries[which % Math.max(1, entries.length)]
          if (enters || entry === undefined) {
            entries.push(roster.enter(number))
            wanted.add(number)
          } else {
            // Often one that has left already.
            roster.leave(entry)
            wanted.delete(entry.member)
          }
          expect(roster.size).toBe(wanted.size)
          expect(new Set(roster)).toEqual(wanted)
        }
      }),
    )
  })

  it('is visited whole, although each member leaves when it is', () => {
    const roster = new Roster<number>()
    const entries = [1, 2, 3, 4, 5].map((call) => roster.enter(call))
    const visited = []
    for (const call of roster) {
      visited.push(call)
      for (const entry of entries) if (entry.member === call) roster.leave(entry)
    }
    expect(visited.sort((one, other) => one - other)).toEqual([1, 2, 3, 4, 5])
    expect(roster.size).toBe(0)
  })

  it('may have the same member twice', () => {
    const roster = new Roster<string>()
    const first = roster.enter('call')
    roster.enter('call')
    roster.leave(first)
    roster.leave(first)
    expect([...roster]).toEqual(['call'])
  })
})
