import { Readable } from 'node:stream'
import type { TokenAlgorithm } from '../../../gateway/config/config.ts'
import type { Arrival, CallId, Received } from '../../../gateway/exchange.ts'
import { createIdentity } from '../../../gateway/identity/identity.ts'
import { systemClock } from '../../../gateway/lib/clock.ts'
import { HeaderList } from '../../../gateway/lib/header-list.ts'
import { createIdentify } from '../../../gateway/stages/identify.ts'
import type { Issuer } from '../../harness/issuer.ts'
import { createProofKey, signProof } from '../../harness/proof.ts'

const ORIGIN = 'https://gw.bank.example'
const PATH = '/github/repos/zyx/platform-infra/pulls/991'
const AGENTS = 50

export interface Prover extends Disposable {
  /** Identifies one after another of these calls, each of which has to be accepted at once. */
  inTurn(calls: readonly Received[]): () => void
}

/** The stage as a call sees it, for 50 agents whose tokens and keys are in the caches. */
export async function createProver(issuer: Issuer): Promise<Prover> {
  const identity = createIdentity(
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
  const accept = (received: Received | undefined): void => {
    const verdict = received === undefined ? undefined : identify(received)
    if (verdict === undefined || verdict instanceof Promise || !verdict.ok) {
      throw new Error('the benchmark measures calls that are accepted at once')
    }
  }
  return {
    inTurn(calls) {
      let next = 0
      return () => {
        accept(calls[next % calls.length])
        next += 1
      }
    },
    [Symbol.dispose]: () => identity[Symbol.dispose](),
  }
}

/** So many calls, every proof another. */
export function provenCalls(issuer: Issuer, algorithm: TokenAlgorithm, count: number): readonly Received[] {
  const agents = Array.from({ length: AGENTS }, () => {
    const key = createProofKey(algorithm)
    return { key, token: issuer.token({ jkt: key.jkt }) }
  })
  return Array.from({ length: count }, (_none, index) => {
    const { key, token } = agents[index % AGENTS] as (typeof agents)[number]
    const proof = signProof({ key, method: 'GET', url: ORIGIN + PATH, token })
    return receivedWith(['authorization', `DPoP ${token}`, 'dpop', proof])
  })
}

/** With a token that is bound to nothing: all but the proof. */
export function unprovenCall(issuer: Issuer): Received {
  return receivedWith(['authorization', `Bearer ${issuer.token()}`])
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
