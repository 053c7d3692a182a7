import { describe, expect, test } from 'vitest'
import { findKey, hasLost, readKeySet } from '../../../gateway/identity/key-set.ts'
import { createProofKey } from '../../harness/proof.ts'

describe('a key set', () => {
  const ec = createProofKey().publicJwk
  const ed = createProofKey('EdDSA').publicJwk

  test('leaves out keys that are not for verifying a signature of an allowed algorithm', () => {
    const keys = readKeySet(
      {
        keys: [
          { ...ec, kid: 'good' },
          { ...ec, kid: 'for encryption', use: 'enc' },
          { ...ec, kid: 'for signing', key_ops: ['sign'] },
          { ...ec, kid: 'pinned elsewhere', alg: 'ES384' },
          { ...ec, kid: 7 },
          { ...ed, kid: 'not allowed' },
          { kty: 'oct', k: 'AAAA' },
          'text',
        ],
      },
      ['ES256'],
    )
    expect(keys.map(({ kid }) => kid)).toEqual(['good'])
  })

  test('with two keys that fit has none: the sender must not choose', () => {
    const twice = {
      keys: [
        { ...ec, kid: 'a' },
        { ...createProofKey().publicJwk, kid: 'a' },
      ],
    }
    expect(findKey(readKeySet(twice, ['ES256']), 'a', 'ES256')).toBeUndefined()
  })

  test('tells one key id from another by the algorithm', () => {
    const keys = readKeySet(
      {
        keys: [
          { ...ec, kid: 'a' },
          { ...ed, kid: 'a' },
        ],
      },
      ['ES256', 'EdDSA'],
    )
    expect(findKey(keys, 'a', 'EdDSA')?.algorithms).toContain('EdDSA')
  })

  test('has lost a key when its id stays and the key behind it changes', () => {
    const before = readKeySet({ keys: [{ ...ec, kid: 'a' }] }, ['ES256'])
    const after = readKeySet({ keys: [{ ...createProofKey().publicJwk, kid: 'a' }] }, ['ES256'])
    expect(hasLost(before, after)).toBe(true)
    expect(hasLost(before, [...before, ...after])).toBe(false)
  })

  test('with a point that is not on its curve has no such key', () => {
    const off = {
      ...ec,
      x: Buffer.alloc(32, 1).toString('base64url'),
      y: Buffer.alloc(32, 1).toString('base64url'),
    }
    expect(() => readKeySet({ keys: [off] }, ['ES256'])).toThrow(TypeError)
  })

  test('of more than 64 keys is refused', () => {
    expect(() => readKeySet({ keys: Array.from({ length: 65 }, () => ec) }, ['ES256'])).toThrow(RangeError)
  })
})
