import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { verifySignature } from '../../../gateway/identity/signature.ts'

const CURVES = [
  ['ES256', 'P-256', 'sha256', 32],
  ['ES384', 'P-384', 'sha384', 48],
] as const

describe.each(CURVES)(
  '%s signatures, beside what Node makes of the same bytes',
  (algorithm, namedCurve, hash, sizeBytes) => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve })
    const dsaEncoding = 'ieee-p1363'
    const byNode = (input: Buffer, key: KeyObject, signature: Buffer): boolean =>
      verify(hash, input, { key, dsaEncoding }, signature)

    it('are accepted, with leading zeros and with high first bits', () => {
      const firstBytes = new Set<number>()
      // A first byte of zero comes once in 128 signatures, which have two numbers each.
      for (let count = 0; !(count >= 200 && firstBytes.has(0)); count++) {
        const input = randomBytes(40)
        const signature = sign(hash, input, { key: privateKey, dsaEncoding })
        expect(verifySignature(algorithm, input, publicKey, signature)).toBe(true)
        firstBytes.add(signature[0] ?? 0).add(signature[sizeBytes] ?? 0)
      }
      expect(firstBytes).toContain(0)
      expect(Math.max(...firstBytes)).toBeGreaterThan(0x80)
    })

    it('are refused when one bit is another', () => {
      const input = randomBytes(40)
      const signature = sign(hash, input, { key: privateKey, dsaEncoding })
      for (let bit = 0; bit < signature.length * 8; bit += 3) {
        const changed = Buffer.from(signature)
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(verifySignature(algorithm, input, publicKey, changed)).toBe(false)
      }
    })

    it('are refused where r or s is nothing, everything or random', () => {
      const input = randomBytes(40)
      const real = sign(hash, input, { key: privateKey, dsaEncoding })
      const sides = [Buffer.alloc(sizeBytes), Buffer.alloc(sizeBytes, 0xff), randomBytes(sizeBytes)]
      const halves = [...sides, real.subarray(0, sizeBytes), real.subarray(sizeBytes)]
      for (const r of halves) {
        for (const s of halves) {
          const signature = Buffer.concat([r, s])
          expect(verifySignature(algorithm, input, publicKey, signature)).toBe(
            byNode(input, publicKey, signature),
          )
        }
      }
    })

    it.each([0, 1, 2 * sizeBytes - 1, 2 * sizeBytes + 1])('are refused with %d bytes', (length) => {
      const input = randomBytes(40)
      const real = sign(hash, input, { key: privateKey, dsaEncoding })
      const signature = Buffer.concat([real, Buffer.alloc(1)]).subarray(0, length)
      expect(verifySignature(algorithm, input, publicKey, signature)).toBe(false)
    })

    it('are refused in the DER form, which has another length', () => {
      const input = randomBytes(40)
      expect(verifySignature(algorithm, input, publicKey, sign(hash, input, privateKey))).toBe(false)
    })
  },
)
