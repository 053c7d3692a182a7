const SEQUENCE = 0x30
const INTEGER = 0x02

/**
 * The DER form (RFC 3279 §2.2.3) of an ECDSA signature as JWS carries it: r and s side by side, each as long as the
 * curve's order (RFC 7518 §3.4). `undefined` for any other length. Node converts too, but only where the key comes
 * wrapped in options, and both together cost a third of the verification itself.
 *
 * @param sizeBytes of r and of s; at most 48, so that every DER length fits one byte
 */
export function derSignature(sides: Buffer, sizeBytes: number): Buffer | undefined {
  if (sides.length !== 2 * sizeBytes) return undefined
  // Two bytes of SEQUENCE, and for each number two more and perhaps a zero that keeps it positive.
  const der = Buffer.allocUnsafe(2 + 2 * (3 + sizeBytes))
  const afterR = writeInteger(der, 2, sides, 0, sizeBytes)
  const end = writeInteger(der, afterR, sides, sizeBytes, 2 * sizeBytes)
  der[0] = SEQUENCE
  der[1] = end - 2
  return der.subarray(0, end)
}

/** Writes the unsigned number in `from[start..end)` in as few bytes as DER demands; returns where it ended. */
function writeInteger(der: Buffer, at: number, from: Buffer, start: number, end: number): number {
  let first = start
  while (first < end - 1 && from[first] === 0) first += 1
  const padded = (from[first] as number) >= 0x80 ? 1 : 0
  der[at] = INTEGER
  der[at + 1] = padded + end - first
  if (padded === 1) der[at + 2] = 0
  from.copy(der, at + 2 + padded, first, end)
  return at + 2 + padded + end - first
}
