import * as oauth from 'oauth4webapi'
import type { AuthorizationServer } from './authorization-server.ts'
import type { Certified, Pki } from './pki.ts'
import { trustingFetch } from './trusting-fetch.ts'

/** Who a client deals with; of the gateway it knows the origin alone. */
export interface Parties {
  readonly gateway: string
  readonly pki: Pki
  readonly server: Pick<AuthorizationServer, 'dpopClient' | 'mtlsClient'>
}

export interface Found {
  readonly resource: string
  readonly authorizationServer: oauth.AuthorizationServer
}

/** RFC 9728 §3 to RFC 8414 §3: the client knows the URL of the gateway and nothing else. */
export async function discover(gateway: string, pki: Pki, client?: Certified): Promise<Found> {
  const options = { [oauth.customFetch]: trustingFetch(pki, client) }
  const identifier = new URL(gateway)
  const described = await oauth.resourceDiscoveryRequest(identifier, options)
  const metadata = await oauth.processResourceDiscoveryResponse(identifier, described)
  const issuer = new URL(metadata.authorization_servers?.find((one) => one.startsWith('https:')) ?? '')
  const response = await oauth.discoveryRequest(issuer, options)
  return {
    resource: metadata.resource,
    authorizationServer: await oauth.processDiscoveryResponse(issuer, response),
  }
}

export async function dpopToken(
  { gateway, pki, server }: Parties,
  keyPair: oauth.CryptoKeyPair,
): Promise<string> {
  const { resource, authorizationServer } = await discover(gateway, pki)
  const client = { client_id: server.dpopClient.id }
  const response = await oauth.clientCredentialsGrantRequest(
    authorizationServer,
    client,
    oauth.ClientSecretBasic(server.dpopClient.secret),
    new URLSearchParams({ resource, scope: 'tools:read' }),
    { DPoP: oauth.DPoP({}, keyPair), [oauth.customFetch]: trustingFetch(pki) },
  )
  const tokens = await oauth.processClientCredentialsResponse(authorizationServer, client, response)
  return tokens.access_token
}

export async function mtlsToken({ gateway, pki, server }: Parties, certificate: Certified): Promise<string> {
  const { resource, authorizationServer } = await discover(gateway, pki, certificate)
  const client = { client_id: server.mtlsClient.id }
  const response = await oauth.clientCredentialsGrantRequest(
    authorizationServer,
    client,
    oauth.TlsClientAuth(),
    new URLSearchParams({ resource, scope: 'tools:read' }),
    { [oauth.customFetch]: trustingFetch(pki, certificate) },
  )
  const tokens = await oauth.processClientCredentialsResponse(authorizationServer, client, response)
  return tokens.access_token
}
