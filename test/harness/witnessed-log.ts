import { generateKeyPairSync } from 'node:crypto'
import { signCheckpoint } from '../../gateway/audit/tlog/checkpoint.ts'
import { createKeySigner } from '../../gateway/audit/tlog/signer.ts'
import type { VerifierKey } from '../../gateway/audit/tlog/verifier-key.ts'
import { referenceConsistency, referenceRoot } from './reference-tree.ts'

/** A log as a witness sees it: signed checkpoints and proofs, honest or not. */
export interface WitnessedLog {
  readonly origin: string
  readonly key: VerifierKey
  /** The checkpoint of the first `size` entries; another history where `fork` is given. */
  checkpoint(size: number, fork?: string): Promise<string>
  /** Body of a request to go from `oldSize` to `size`; the proof is that of `fork`, too. */
  request(oldSize: number, size: number, fork?: string): Promise<string>
}

export function witnessedLog(name = 'gateway.example', origin = `${name}/fleet/e1`): WitnessedLog {
  const signer = createKeySigner(name, generateKeyPairSync('ed25519').privateKey)
  const entries = (size: number, fork: string): Buffer[] =>
    Array.from({ length: size }, (_, index) => Buffer.from(`${fork} ${index}`))
  const checkpoint = (size: number, fork = 'entry'): Promise<string> =>
    signCheckpoint({ origin, size, root: referenceRoot(entries(size, fork)) }, signer)
  return {
    origin,
    key: signer.key,
    checkpoint,
    async request(oldSize, size, fork = 'entry') {
      const proof = oldSize === 0 || oldSize > size ? [] : referenceConsistency(oldSize, entries(size, fork))
      return addCheckpoint(oldSize, proof, await checkpoint(size, fork))
    },
  }
}

export function addCheckpoint(oldSize: number, proof: readonly Buffer[], checkpoint: string): string {
  const lines = proof.map((hash) => `${hash.toString('base64')}\n`)
  return `old ${String(oldSize)}\n${lines.join('')}\n${checkpoint}`
}
