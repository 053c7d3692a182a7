import { describe, expect, test } from 'vitest'
import { digestOf } from '../../gateway/identity/binding.ts'
import { parseCompact } from '../../gateway/identity/compact.ts'
import { createProofCheck } from '../../gateway/identity/dpop-proof.ts'
import type { ProofSubject } from '../../gateway/identity/dpop-proof.ts'
import { createTargetCheck } from '../../gateway/identity/dpop-target.ts'
import { readPublicJwk } from '../../gateway/identity/public-jwk.ts'
import type { Verdict } from '../../gateway/refusal.ts'

/** RFC 9449 Figure 12, and the token it goes with. */
const TOKEN = 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU'
const ATH = 'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo'
const JKT = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I'
const PROOF = [
  'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik',
  'VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR',
  'nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE',
  'QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIj',
  'oiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0Z',
  'WRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNF',
  'c05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71E',
  'OptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA',
].join('')
const ISSUED_AT_MS = 1_562_262_618_000

const check = createProofCheck(
  { algorithms: ['ES256'], maxAgeMs: 60_000, maxSkewMs: 10_000, nonce: 'off', nonceSecret: undefined },
  undefined,
)
const isTarget = createTargetCheck(new Map([['prefix', ['https://resource.example.org']]]), '')

function judge(
  nowMs: number,
  more: Partial<ProofSubject> = {},
  path = '/protectedresource',
): Verdict<unknown> {
  const proof = parseCompact(PROOF, 'identity.proof_invalid')
  if (!proof.ok) return proof
  const subject = {
    method: 'GET',
    isTarget: (htu: string) => isTarget(htu, path, 'prefix'),
    ath: ATH,
    jkt: JKT,
  }
  return check(proof.value, { ...subject, ...more }, nowMs)
}

describe('the proof printed in RFC 9449 §7.1', () => {
  test('is accepted at its time, for its token and request', () => {
    expect(digestOf(TOKEN)).toBe(ATH)
    expect(judge(ISSUED_AT_MS)).toMatchObject({
      ok: true,
      value: { replay: { expiresAtMs: ISSUED_AT_MS + 70_000 } },
    })
  })

  test.each([
    ['a minute and a second later', () => judge(ISSUED_AT_MS + 61_000)],
    ['eleven seconds before', () => judge(ISSUED_AT_MS - 11_000)],
    ['for another method', () => judge(ISSUED_AT_MS, { method: 'POST' })],
    ['for another path', () => judge(ISSUED_AT_MS, {}, '/other')],
    ['for another token', () => judge(ISSUED_AT_MS, { ath: JKT })],
  ])('is refused %s', (_what, verdict) => {
    expect(verdict()).toMatchObject({ ok: false, refusal: { code: 'identity.proof_invalid' } })
  })

  test('is refused for a token that is bound to another key', () => {
    expect(judge(ISSUED_AT_MS, { jkt: ATH })).toMatchObject({
      ok: false,
      refusal: { code: 'identity.binding_mismatch' },
    })
  })
})

describe('thumbprints', () => {
  test.each([
    [
      'RFC 7638 §3.1',
      'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
      {
        kty: 'RSA',
        n: [
          '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP',
          'ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY',
          '368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0f',
          'M4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
        ].join(''),
        e: 'AQAB',
        alg: 'RS256',
        kid: '2011-04-29',
      },
    ],
    [
      'RFC 8037 A.3',
      'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
      { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
    ],
  ])('of %s', (_section, thumbprint, jwk) => {
    expect(readPublicJwk(jwk)?.thumbprint).toBe(thumbprint)
  })
})
