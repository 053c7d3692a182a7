import { parseCheckpoint, type SignedCheckpoint } from '../tlog/checkpoint.ts'
import { HASH_BYTES } from '../tlog/merkle-hash.ts'

/** A consistency proof between trees of at most 2^63 leaves has no more hashes than this. */
const PROOF_LIMIT = 63

/** Room for a note of the largest size, a proof and the line before it. */
export const REQUEST_LIMIT_BYTES = 70_000

/** What a log asks of a witness: to believe that it grew from `oldSize` to `checkpoint`. */
export interface AddCheckpoint {
  readonly oldSize: number
  readonly proof: readonly Buffer[]
  readonly checkpoint: SignedCheckpoint
}

/**
 * Reads the body of an add-checkpoint request; `undefined` when it is none.
 *
 * @see https://c2sp.org/tlog-witness "add-checkpoint"
 */
export function parseAddCheckpoint(untrustedBody: string): AddCheckpoint | undefined {
  const split = untrustedBody.indexOf('\n\n')
  if (split === -1) return undefined
  const [oldLine = '', ...proofLines] = untrustedBody.slice(0, split).split('\n')
  const oldSize = Number(/^old (0|[1-9]\d{0,15})$/.exec(oldLine)?.[1] ?? Number.NaN)
  const checkpoint = parseCheckpoint(untrustedBody.slice(split + 2))
  if (!Number.isSafeInteger(oldSize) || proofLines.length > PROOF_LIMIT || checkpoint === undefined)
    return undefined
  const proof: Buffer[] = []
  for (const line of proofLines) {
    const hash = Buffer.from(line, 'base64')
    if (hash.length !== HASH_BYTES || hash.toString('base64') !== line) return undefined
    proof.push(hash)
  }
  return { oldSize, proof, checkpoint }
}
