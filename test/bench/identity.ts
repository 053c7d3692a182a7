/** What proving who calls costs, signatures and all. `node test/bench/identity.ts`; ends by itself. */
import { createPublicKey, sign, verify } from 'node:crypto'
import { Readable } from 'node:stream'
import type { TokenAlgorithm } from '../../gateway/config/config.ts'
import type { Arrival, CallId, Received } from '../../gateway/exchange.ts'
import { createIdentity } from '../../gateway/identity/identity.ts'
import { systemClock } from '../../gateway/lib/clock.ts'
import { HeaderList } from '../../gateway/lib/header-list.ts'
import { createIdentify } from '../../gateway/stages/identify.ts'
import { startIssuer } from '../harness/issuer.ts'
import { createProofKey, signProof } from '../harness/proof.ts'
import type { ProofKey } from '../harness/proof.ts'
import { countOf, printTimeOf } from './measure.ts'

const ORIGIN = 'https://gw.bank.example'
const PATH = '/github/repos/zyx/platform-infra/pulls/991'
const AGENTS = 50
const PROOFS = countOf(2_000)

await using issuer = await startIssuer()
using identity = createIdentity(
  {
    identity: {
      issuers: [issuer.config],
      dpop: {
        algorithms: ['ES256', 'EdDSA', 'PS256', 'RS256'],
        maxAgeMs: 300_000,
        maxSkewMs: 10_000,
        nonce: 'off',
        nonceSecret: undefined,
      },
      forwardedCertificate: undefined,
      resource: { documentation: undefined, scopesSupported: [] },
      dangerouslyAllowUnboundTokens: true,
    },
    listen: { externalOrigins: [ORIGIN], externalPathPrefix: '', tls: undefined },
  },
  {
    clock: systemClock,
    origins: new Map([['prefix', [ORIGIN]]]),
    events: {
      keysLoaded: () => {},
      keysFailed: () => {},
      tokenLookedUp: () => {},
      unboundTokenAccepted: () => {},
    },
  },
)
await identity.opened
const identify = createIdentify(identity)

/** The stage as a call sees it: 50 agents, each with its token and key in the caches, every proof another. */
const unproven = receivedWith(['authorization', `Bearer ${issuer.token()}`])
printTimeOf('ES256 proof by a known key', proven('ES256'))
printTimeOf('EdDSA proof by a known key', proven('EdDSA'))
printTimeOf('PS256 proof by a known key', proven('PS256'))
printTimeOf('nothing to prove: all but the proof', () => accept(unproven))
printTimeOf('the ES256 signature alone, for comparison', bareVerification())

function proven(algorithm: TokenAlgorithm): () => void {
  return inTurn(provenCalls(Array.from({ length: AGENTS }, () => createProofKey(algorithm))))
}

function inTurn(calls: readonly Received[]): () => void {
  let next = 0
  return () => {
    accept(calls[next % calls.length])
    next += 1
  }
}

/** What no verifier can do without, in the form that Node verifies at the least cost. */
function bareVerification(): () => void {
  const { privateKey, publicJwk } = createProofKey('ES256')
  const key = createPublicKey({ key: publicJwk, format: 'jwk' })
  const input = Buffer.alloc(400, 'a')
  const signature = sign('sha256', input, privateKey)
  return () => void verify('sha256', input, key, signature)
}

function provenCalls(agents: readonly ProofKey[]): readonly Received[] {
  const tokens = agents.map(({ jkt }) => issuer.token({ jkt }))
  return Array.from({ length: PROOFS }, (_none, index) => {
    const key = agents[index % AGENTS] as ProofKey
    const token = tokens[index % AGENTS] as string
    const proof = signProof({ key, method: 'GET', url: ORIGIN + PATH, token })
    return receivedWith(['authorization', `DPoP ${token}`, 'dpop', proof])
  })
}

function accept(received: Received | undefined): void {
  const verdict = received === undefined ? undefined : identify(received)
  if (verdict === undefined || verdict instanceof Promise || !verdict.ok) {
    throw new Error('the benchmark measures calls that are accepted at once')
  }
}

function receivedWith(headers: readonly string[]): Received {
  return {
    arrival: { callId: '' as CallId } as Arrival,
    method: 'GET',
    target: PATH,
    path: PATH,
    query: '',
    headers: new HeaderList(['host', 'gw.bank.example', 'accept', 'application/json', ...headers]),
    peer: { address: '127.0.0.1', secure: false, certificate: undefined },
    body: { declaredBytes: 0, stream: Readable.from([]), mediaType: '' },
    declared: { task: '', rationale: '', ticket: '', rollbackPlan: '' },
    wishes: { approval: '', waitMs: 0, respondAsync: false },
    trace: { traceId: '', spanId: '', parentId: undefined, sampled: false, state: undefined },
  }
}
