import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { GatheredLines } from '../../../gateway/telemetry/gathered-lines.ts'

function gather(): { lines: GatheredLines; written: string[] } {
  const written: string[] = []
  return { lines: new GatheredLines((text) => written.push(text)), written }
}

describe('gathered lines', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('go together, in their order, a moment after the first', () => {
    const { lines, written } = gather()
    using _ = lines
    lines.add('a\n')
    vi.advanceTimersByTime(9)
    lines.add('b\n')
    expect(written).toEqual([])
    vi.advanceTimersByTime(1)
    expect(written).toEqual(['a\nb\n'])
    lines.add('c\n')
    vi.advanceTimersByTime(10)
    expect(written).toEqual(['a\nb\n', 'c\n'])
  })

  it('are never more than so many characters', () => {
    const { lines, written } = gather()
    using _ = lines
    for (let count = 0; count < 40; count += 1) lines.add(`${'x'.repeat(999)}\n`)
    expect(written.map((text) => text.length)).toEqual([17_000, 17_000])
  })

  it('go at once when they are asked to', () => {
    const { lines, written } = gather()
    using _ = lines
    lines.add('a\n')
    lines.flush()
    lines.flush()
    expect(written).toEqual(['a\n'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('go when the process exits', () => {
    const { lines, written } = gather()
    using _ = lines
    lines.add('a\n')
    const [first] = process.listeners('exit')
    first?.(0)
    expect(written).toEqual(['a\n'])
  })

  it('wait no longer once nobody gathers them', () => {
    const listeners = process.listenerCount('exit')
    const { lines, written } = gather()
    lines.add('a\n')
    lines[Symbol.dispose]()
    lines.add('b\n')
    expect(written).toEqual(['a\n', 'b\n'])
    expect(process.listenerCount('exit')).toBe(listeners)
  })
})
