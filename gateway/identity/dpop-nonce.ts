import { createHmac, timingSafeEqual } from 'node:crypto'

/** Nonces that the fleet can check without sharing anything but a key (RFC 9449 §8, §9). */
export interface DpopNonces {
  /** The nonce to hand out now. */
  current(nowMs: number): string
  /** Accepted in the period it was made for and the one after. */
  accepts(untrustedNonce: string, nowMs: number): boolean
  /** When a nonce that is accepted now stops being so, at the latest. */
  expiresAtMs(nowMs: number): number
}

export const MIN_NONCE_KEY_BYTES = 32

/** Each nonce is the HMAC of its period, so it is the same on every node and says nothing else. */
export function createDpopNonces(key: Uint8Array, periodMs: number): DpopNonces {
  if (key.length < MIN_NONCE_KEY_BYTES) {
    throw new RangeError(`the nonce key has fewer than ${MIN_NONCE_KEY_BYTES} bytes`)
  }
  const made = new Map<number, Buffer>()
  const nonceOf = (period: number): Buffer => {
    const held = made.get(period)
    if (held !== undefined) return held
    for (const old of made.keys()) if (old < period - 1) made.delete(old)
    const text = createHmac('sha256', key).update(`toolgate dpop nonce ${period}`).digest('base64url')
    const nonce = Buffer.from(text)
    made.set(period, nonce)
    return nonce
  }
  const periodAt = (nowMs: number): number => Math.floor(nowMs / periodMs)

  return {
    current: (nowMs) => nonceOf(periodAt(nowMs)).toString(),
    accepts: (untrustedNonce, nowMs) => {
      const candidate = Buffer.from(untrustedNonce)
      const period = periodAt(nowMs)
      return isSame(candidate, nonceOf(period)) || isSame(candidate, nonceOf(period - 1))
    },
    expiresAtMs: (nowMs) => (periodAt(nowMs) + 2) * periodMs,
  }
}

function isSame(candidate: Buffer, nonce: Buffer): boolean {
  return candidate.length === nonce.length && timingSafeEqual(candidate, nonce)
}
