import type { Connector } from '../catalog/connector.ts'
import type { CredentialProvider } from '../credentials/credential.ts'
import { misplacedCredential } from '../egress/credential-parameters.ts'
import { buildRequestHeaders, passedRequestHeaders } from '../egress/request-headers.ts'
import { upstreamTargetOf } from '../egress/upstream-target.ts'
import type { ReadBody, Sealed } from '../exchange.ts'
import { GatewayFault } from '../fault.ts'
import type { LockGate } from '../locks/locks.ts'
import { pass, refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'
import type { Permit } from './approve.ts'

export interface SealDependencies {
  readonly connectors: readonly Connector[]
  readonly credentials: CredentialProvider
  readonly locks: Pick<LockGate, 'check' | 'epoch'>
}

/**
 * Makes the upstream request of a permitted call and puts the credential in: here and nowhere else, after policy,
 * and never the caller's own. Last of all the locks are looked at once more, because policy, people and the credential may
 * have taken their time. DESIGN §3, row 8.
 */
export function createSeal({
  connectors,
  credentials,
  locks,
}: SealDependencies): (permit: Permit) => Verdict<Sealed> | Promise<Verdict<Sealed>> {
  const passedBy = new Map(connectors.map((connector) => [connector.name, passedRequestHeaders(connector)]))
  return (permit) => {
    const { call } = permit
    const { connector } = call
    const passed = passedBy.get(connector.name)
    if (passed === undefined) throw new GatewayFault('gateway.fault', `${connector.name} is not wired`)
    const misplaced = misplacedCredential(connector, call.query, call.content)
    if (misplaced !== undefined) {
      return refuse('request.credential_misplaced', { detail: `parameter ${misplaced}` })
    }
    const { agent, principal, tenant } = call.caller
    const context = { connector: connector.name, tenant, agent: agent.id, principal: principal.id }
    const credential = credentials.get(context)
    return credential instanceof Promise
      ? credential.then((verdict) => sealWith(permit, passed, verdict, locks))
      : sealWith(permit, passed, credential, locks)
  }
}

function sealWith(
  permit: Permit,
  passed: ReadonlySet<string>,
  credential: Awaited<ReturnType<CredentialProvider['get']>>,
  locks: SealDependencies['locks'],
): Verdict<Sealed> {
  if (!credential.ok) return credential
  const { call } = permit
  const locked = locks.check(call)
  if (locked !== undefined) return { ok: false, refusal: locked }
  const headers = buildRequestHeaders(call, passed)
  credential.value.apply(headers)
  const request = {
    ...upstreamTargetOf(call),
    method: call.method,
    headers,
    body: bodyOf(call.content),
  }
  return pass({ permit, request, credentialVersion: credential.value.version, lockEpoch: locks.epoch })
}

function bodyOf({ kind, bytes, stream }: ReadBody): Sealed['request']['body'] {
  if (stream !== undefined) return stream
  return kind === 'none' || bytes.length === 0 ? undefined : bytes
}
