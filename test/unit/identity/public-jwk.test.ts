import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readPublicJwk } from '../../../gateway/identity/public-jwk.ts'
import { createProofKey } from '../../harness/proof.ts'

describe('a public JWK', () => {
  const { publicJwk, privateJwk } = createProofKey()
  const rsa = (modulusLength: number, publicExponent = 65_537): object =>
    generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey.export({ format: 'jwk' })

  test('gives the same thumbprint whatever else it carries', () => {
    const dressed = { ...publicJwk, kid: 'a', use: 'sig', alg: 'ES256' }
    expect(readPublicJwk(dressed)?.thumbprint).toBe(readPublicJwk(publicJwk)?.thumbprint)
  })

  test.each<[what: string, jwk: unknown]>([
    ['a private one', privateJwk],
    ['a private member that is null', { ...publicJwk, d: null }],
    ['a symmetric one', { kty: 'oct', k: 'AAAA' }],
    ['a curve that is not its own', { ...publicJwk, crv: 'secp256k1' }],
    ['a coordinate with padding', { ...publicJwk, x: `${publicJwk.x}=` }],
    ['a coordinate that is short', { ...publicJwk, x: 'AAAA' }],
    ['a coordinate in another spelling', { ...publicJwk, x: `${publicJwk.x?.slice(0, -1)}B` }],
    ['a curve that only agrees on keys', { kty: 'OKP', crv: 'X25519', x: publicJwk.x }],
    ['an Edwards point that is short', { kty: 'OKP', crv: 'Ed25519', x: 'AAAA' }],
    ['RSA of 1024 bits', rsa(1024)],
    ['RSA with exponent 3', rsa(2048, 3)],
    ['RSA with a leading zero', { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(257).toString('base64url') }],
    ['RSA of 8192 bits', { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(1024, 0xff).toString('base64url') }],
    ['nothing', undefined],
    ['a list', [publicJwk]],
  ])('is not %s', (_what, jwk) => {
    expect(readPublicJwk(jwk)).toBeUndefined()
  })
})
