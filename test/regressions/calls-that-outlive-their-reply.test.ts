import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { Roster } from '../../gateway/lib/roster.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as (options: { readonly type: 'minor' | 'major' }) => void

const CALL_NUMBERS = 1_250
const CALL_BYTES = CALL_NUMBERS * 8
const IN_FLIGHT = 8

/** Bytes that grew old, of calls that came and went, some of them in flight all the time. */
function grownOldBytes(enter: (call: number[]) => () => void, calls: number): number {
  const leaving: (() => void)[] = []
  const comeAndGo = (): void => {
    leaving.push(enter(Array.from({ length: CALL_NUMBERS }, () => 0.5)))
    if (leaving.length > IN_FLIGHT) leaving.shift()?.()
  }
  for (let count = 0; count <= IN_FLIGHT; count += 1) comeAndGo()
  // What holds the calls grows old itself, as it does in a gateway that nobody calls for some seconds.
  collect({ type: 'major' })
  const before = oldBytes()
  for (let count = 1; count <= calls; count += 1) {
    comeAndGo()
    if (count % 100 === 0) collect({ type: 'minor' })
  }
  return oldBytes() - before
}

function oldBytes(): number {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space')
  return space?.space_used_size ?? 0
}

it('a call that has ended is freed with what is young, however long the gateway has run', () => {
  const inFlight = new Roster<number[]>()
  const calls = 2_000
  const enter = (call: number[]): (() => void) => {
    const entry = inFlight.enter(call)
    return () => inFlight.leave(entry)
  }
  expect(grownOldBytes(enter, calls)).toBeLessThan((calls * CALL_BYTES) / 20)
})
