import { describe, expect, test } from 'vitest'
import { createDpopNonces } from '../../../gateway/identity/dpop-nonce.ts'

describe('nonces', () => {
  const key = Buffer.alloc(32, 1)

  test('are the same on every node that has the key, and no other', () => {
    const here = createDpopNonces(key, 60_000)
    const there = createDpopNonces(Buffer.alloc(32, 1), 60_000)
    const elsewhere = createDpopNonces(Buffer.alloc(32, 2), 60_000)
    expect(there.accepts(here.current(1e9), 1e9)).toBe(true)
    expect(elsewhere.accepts(here.current(1e9), 1e9)).toBe(false)
  })

  test('pass for their period and the next, and say so', () => {
    const nonces = createDpopNonces(key, 60_000)
    const nonce = nonces.current(0)
    expect([0, 59_999, 60_000, 119_999, 120_000].map((nowMs) => nonces.accepts(nonce, nowMs))).toEqual([
      true,
      true,
      true,
      true,
      false,
    ])
    expect(nonces.expiresAtMs(0)).toBe(120_000)
  })

  test('of the future do not pass', () => {
    const nonces = createDpopNonces(key, 60_000)
    expect(nonces.accepts(nonces.current(60_000), 0)).toBe(false)
  })

  test('need a key of 32 bytes', () => {
    expect(() => createDpopNonces(Buffer.alloc(31), 60_000)).toThrow(RangeError)
  })
})
