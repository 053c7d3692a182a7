import { describe, expect, it } from 'vitest'
import { decodeLock, encodeLock, mayRelease } from '../../../gateway/locks/lock.ts'
import { aLock, aPerson } from './a-lock.ts'

const OPERATOR = { kind: 'operator' } as const
const DANA = aPerson('dana@zyx.example')
const ERIK = aPerson('erik@zyx.example')
const DETECTION = { kind: 'gateway', part: 'detection' } as const
const TWO = { release: 'another-person' } as const

describe('a lock that takes another person', () => {
  it('is released by another one than who set it', () => {
    const lock = aLock('all', { ...TWO, author: DANA })
    expect(mayRelease(lock, ERIK)).toBe(true)
    expect(mayRelease(lock, DANA)).toBe(false)
    expect(mayRelease(lock, OPERATOR)).toBe(false)
  })

  it.each([
    ['in another spelling', aPerson(' Dana@ZYX.example')],
    ['in full-width letters', aPerson('ｄana@zyx.example')],
    ['through Slack', aPerson('dana@zyx.example', { issuer: 'slack:T1', channel: 'slack' })],
  ])('is not released by who set it %s', (_how, again) => {
    expect(mayRelease(aLock('all', { ...TWO, author: DANA }), again)).toBe(false)
    const asked = [{ by: DANA, reason: 'done', atMs: 0 }]
    expect(mayRelease(aLock('all', { ...TWO, author: OPERATOR, releaseRequests: asked }), again)).toBe(false)
  })

  it('is not released by who set it even after another one asked for it', () => {
    const asked = [{ by: OPERATOR, reason: 'done', atMs: 0 }]
    expect(mayRelease(aLock('all', { ...TWO, author: DANA, releaseRequests: asked }), DANA)).toBe(false)
  })

  it('set with a token that is nobody’s is released by the second person who asks', () => {
    const lock = aLock('all', { ...TWO, author: OPERATOR })
    expect(mayRelease(lock, DANA)).toBe(false)
    const asked = { ...lock, releaseRequests: [{ by: DANA, reason: 'done', atMs: 0 }] }
    expect(mayRelease(asked, DANA)).toBe(false)
    expect(mayRelease(asked, OPERATOR)).toBe(false)
    expect(mayRelease(asked, ERIK)).toBe(true)
  })

  it('set by the gateway is released by any person', () => {
    expect(mayRelease(aLock('all', { ...TWO, author: DETECTION }), DANA)).toBe(true)
    expect(mayRelease(aLock('all', { ...TWO, author: DETECTION }), OPERATOR)).toBe(false)
  })
})

it('any other lock is released by whoever asks', () => {
  for (const actor of [OPERATOR, DANA]) expect(mayRelease(aLock('all', { author: DANA }), actor)).toBe(true)
})

describe('a lock in a store', () => {
  it('is read as it was written', () => {
    const lock = aLock('agent:https://id.example#bot', {
      writesOnly: true,
      tokensBeforeMs: 5,
      expiresAtMs: 9,
      author: DANA,
      ...TWO,
      releaseRequests: [{ by: DANA, reason: 'done', atMs: 7 }],
    })
    expect(decodeLock(encodeLock(lock))).toEqual(lock)
    expect(decodeLock(encodeLock(aLock('all')))).toMatchObject({ scope: { kind: 'all' } })
  })

  it.each([
    '{}',
    'null',
    '"all"',
    encodeLock(aLock('all')).replace('"all"', '"planet:earth"'),
    encodeLock(aLock('all')).replace('"anyone"', '"nobody"'),
    encodeLock(aLock('all')).replace('false', '"no"'),
  ])('that is none of ours makes the locks unknown: %s', (text) => {
    expect(() => decodeLock(text)).toThrow('cannot be read')
  })
})
