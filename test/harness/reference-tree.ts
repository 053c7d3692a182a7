import { createHash } from 'node:crypto'

/**
 * The tree of RFC 6962 §2.1 as the RFC writes it down: by recursion over lists, with nothing shared with the gateway's
 * own. Slow, and easy to believe.
 */
export function referenceRoot(entries: readonly Buffer[]): Buffer {
  if (entries.length === 0) return sha256()
  if (entries.length === 1) return sha256(Buffer.of(0), entries[0] ?? Buffer.alloc(0))
  const split = largestPowerBelow(entries.length)
  return sha256(Buffer.of(1), referenceRoot(entries.slice(0, split)), referenceRoot(entries.slice(split)))
}

/** PATH(m, D[n]) of RFC 6962 §2.1.1. */
export function referenceInclusion(index: number, entries: readonly Buffer[]): Buffer[] {
  if (entries.length <= 1) return []
  const split = largestPowerBelow(entries.length)
  const [left, right] = [entries.slice(0, split), entries.slice(split)]
  return index < split
    ? [...referenceInclusion(index, left), referenceRoot(right)]
    : [...referenceInclusion(index - split, right), referenceRoot(left)]
}

/** PROOF(m, D[n]) of RFC 6962 §2.1.2, for 0 < m <= n. */
export function referenceConsistency(oldSize: number, entries: readonly Buffer[]): Buffer[] {
  return subproof(oldSize, entries, true)
}

function subproof(oldSize: number, entries: readonly Buffer[], whole: boolean): Buffer[] {
  if (oldSize === entries.length) return whole ? [] : [referenceRoot(entries)]
  const split = largestPowerBelow(entries.length)
  const [left, right] = [entries.slice(0, split), entries.slice(split)]
  return oldSize <= split
    ? [...subproof(oldSize, left, whole), referenceRoot(right)]
    : [...subproof(oldSize - split, right, false), referenceRoot(left)]
}

function largestPowerBelow(size: number): number {
  let power = 1
  while (power * 2 < size) power *= 2
  return power
}

function sha256(...parts: readonly Buffer[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest()
}
