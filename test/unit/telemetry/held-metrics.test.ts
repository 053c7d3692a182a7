import * as fc from 'fast-check'
import { Counter, Histogram, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { HeldCounter } from '../../../gateway/telemetry/held-counter.ts'
import { HeldHistogram } from '../../../gateway/telemetry/held-histogram.ts'

const DEFINITION = { name: 'toolgate_x', help: 'What \\ is\nmeasured.', labelNames: ['connector', 'access'] }
const BUCKETS = [0.001, 0.25, 1, 10]

/** Both of a kind; each of their own registry. */
function pair() {
  const [ours, theirs] = [new Registry(), new Registry()]
  return { ours, theirs, ownRegisters: [ours], theirRegisters: [theirs] }
}

async function shownBy(registry: Registry): Promise<string> {
  return (await registry.metrics()) + JSON.stringify(await registry.getMetricsAsJSON())
}

const LABELS = fc.tuple(fc.constantFrom('github', 'a"b\\\n'), fc.constantFrom('read', 'write'))
const VALUES = fc.oneof(fc.double({ min: 0, max: 20, noNaN: true }), fc.constantFrom(...BUCKETS, 0, -1))

describe('a histogram with held series', () => {
  it('shows what one of prom-client shows, as text and as JSON', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(LABELS, VALUES)), async (observations) => {
        const both = pair()
        const ours = new HeldHistogram({ ...DEFINITION, buckets: BUCKETS, registers: both.ownRegisters })
        const theirs = new Histogram({ ...DEFINITION, buckets: [...BUCKETS], registers: both.theirRegisters })
        for (const [labels, value] of observations) {
          ours.series(...labels).observe(value)
          theirs.labels(...labels).observe(value)
        }
        const shown = await shownBy(both.ours)
        expect(shown).toBe(await shownBy(both.theirs))
        expect(await shownBy(both.ours)).toBe(shown)
      }),
      { numRuns: 30 },
    )
  })

  it('without labels is there before its first value, as one of prom-client is', async () => {
    const both = pair()
    const { name, help } = DEFINITION
    const ours = new HeldHistogram({
      name,
      help,
      labelNames: [],
      buckets: BUCKETS,
      registers: both.ownRegisters,
    })
    const theirs = new Histogram({ name, help, buckets: [...BUCKETS], registers: both.theirRegisters })
    expect(await shownBy(both.ours)).toBe(await shownBy(both.theirs))
    for (const value of [0.002, 11]) {
      ours.series().observe(value)
      theirs.observe(value)
      expect(await shownBy(both.ours)).toBe(await shownBy(both.theirs))
    }
  })

  it.each([Number.NaN, Infinity])('refuses %d, and shows no series for it', async (value) => {
    const { ours, ownRegisters } = pair()
    const histogram = new HeldHistogram({ ...DEFINITION, buckets: BUCKETS, registers: ownRegisters })
    expect(() => histogram.series('github', 'read').observe(value)).toThrow(TypeError)
    expect(await ours.metrics()).not.toContain('github')
  })

  it('refuses a series that lacks a label', () => {
    const histogram = new HeldHistogram({ ...DEFINITION, buckets: BUCKETS, registers: pair().ownRegisters })
    expect(() => histogram.series('github')).toThrow(RangeError)
  })
})

describe('a counter with held series', () => {
  it('shows what one of prom-client shows, as text and as JSON', async () => {
    const counts = fc.array(fc.tuple(LABELS, fc.constantFrom(0, 1, 600), fc.boolean()))
    await fc.assert(
      fc.asyncProperty(counts, async (counted) => {
        const both = pair()
        const ours = new HeldCounter({ ...DEFINITION, registers: both.ownRegisters })
        const theirs = new Counter({ ...DEFINITION, registers: both.theirRegisters })
        for (const [[connector, access], by, isHeld] of counted) {
          if (isHeld) ours.series(connector, access).inc(by)
          else ours.inc({ connector, access }, by)
          theirs.inc({ connector, access }, by)
        }
        const shown = await shownBy(both.ours)
        expect(shown).toBe(await shownBy(both.theirs))
        expect(await shownBy(both.ours)).toBe(shown)
      }),
      { numRuns: 30 },
    )
  })

  it('counts one where it is not told how many', async () => {
    const { ours, ownRegisters } = pair()
    const counter = new HeldCounter({ ...DEFINITION, registers: ownRegisters })
    const series = counter.series('github', 'read')
    series.inc()
    series.inc()
    expect(await ours.metrics()).toContain('toolgate_x{connector="github",access="read"} 2\n')
  })

  it('cannot be counted down', () => {
    const series = new HeldCounter({ ...DEFINITION, registers: pair().ownRegisters }).series('github', 'read')
    series.inc()
    expect(() => series.inc(-1)).toThrow('not possible to decrease')
  })
})
