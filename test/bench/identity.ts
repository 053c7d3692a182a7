/** What proving who calls costs, signatures and all. `node test/bench/identity.ts`; ends by itself. */
import { createPublicKey, sign, verify } from 'node:crypto'
import { startIssuer } from '../harness/issuer.ts'
import { createProofKey } from '../harness/proof.ts'
import { countOf, printTimeOf } from './measure.ts'
import { createProver, provenCalls, unprovenCall } from './parts/proven-calls.ts'

const PROOFS = countOf(2_000)

await using issuer = await startIssuer()
using prover = await createProver(issuer)

for (const algorithm of ['ES256', 'EdDSA', 'PS256'] as const) {
  printTimeOf(`${algorithm} proof by a known key`, prover.inTurn(provenCalls(issuer, algorithm, PROOFS)))
}
printTimeOf('nothing to prove: all but the proof', prover.inTurn([unprovenCall(issuer)]))
printTimeOf('the ES256 signature alone, for comparison', bareVerification())

/** What no verifier can do without, in the form that Node verifies at the least cost. */
function bareVerification(): () => void {
  const { privateKey, publicJwk } = createProofKey('ES256')
  const key = createPublicKey({ key: publicJwk, format: 'jwk' })
  const input = Buffer.alloc(400, 'a')
  const signature = sign('sha256', input, privateKey)
  return () => void verify('sha256', input, key, signature)
}
