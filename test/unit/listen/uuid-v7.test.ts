import { describe, expect, it } from 'vitest'
import { createRandomPool } from '../../../gateway/lib/random-pool.ts'
import { createUuidV7 } from '../../../gateway/lib/uuid-v7.ts'

const SHAPE = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe('A call id', () => {
  it('is a UUID of version 7 and the variant of RFC 9562', () => {
    const next = createUuidV7(() => 1_763_716_800_000, createRandomPool())
    for (let count = 0; count < 1000; count += 1) expect(next()).toMatch(SHAPE)
  })

  it('carries the time it was made', () => {
    const next = createUuidV7(() => 0x0199_1234_5678, createRandomPool())
    expect(next()).toMatch(/^01991234-5678-7/)
  })

  it('grows within one millisecond, also when the counter runs out', () => {
    const next = createUuidV7(() => 1000, createRandomPool())
    const ids = Array.from({ length: 10_000 }, next)
    expect([...ids].toSorted()).toEqual(ids)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('grows while the clock steps back', () => {
    const times = [5000, 4000, 4000, 5000, 5001]
    const next = createUuidV7(() => times.shift() ?? 0, createRandomPool())
    const ids = Array.from({ length: 5 }, next)
    expect([...ids].toSorted()).toEqual(ids)
  })

  it('carries the time also where its upper half changes, and when it was there before', () => {
    const times = [0x0199_1234_ffff, 0x0199_1235_0000, 0x0199_1235_0001]
    const next = createUuidV7(() => times.shift() ?? 0, createRandomPool())
    const ids = Array.from({ length: 3 }, next)
    expect(ids.map((id) => id.slice(0, 15))).toEqual([
      '01991234-ffff-7',
      '01991235-0000-7',
      '01991235-0001-7',
    ])
  })

  it('puts every byte of its randomness in its place', () => {
    const bytes = Buffer.from([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x10, 0x32])
    const next = createUuidV7(
      () => 0,
      () => bytes,
    )
    expect(next()).toBe('00000000-0000-7123-8567-89abcdef1032')
  })

  it('takes its randomness from the generator it was given', () => {
    const next = createUuidV7(
      () => 0,
      (sizeBytes) => Buffer.alloc(sizeBytes, 0xff),
    )
    expect(next()).toBe('00000000-0000-77ff-bfff-ffffffffffff')
  })
})

describe('A random pool', () => {
  it('never hands out the same bytes twice', () => {
    const random = createRandomPool()
    const blocks = Array.from({ length: 2000 }, () => random(16).toString('hex'))
    expect(new Set(blocks).size).toBe(2000)
  })
})
