import type { Config } from '../config/config.ts'

/** The parts of the configuration that say under which names, and by which means, this gateway can be called. */
export type ResourceConfig = Pick<Config, 'identity'> & {
  readonly listen: Pick<Config['listen'], 'externalOrigins' | 'externalPathPrefix' | 'tls'>
}

/** RFC 9728 §2, with the members that RFC 9449 §5.1 and RFC 8705 §3.3 register. */
export interface ProtectedResourceMetadata {
  readonly resource: string
  readonly authorization_servers: readonly string[]
  readonly bearer_methods_supported: readonly string[]
  readonly scopes_supported?: readonly string[]
  readonly resource_documentation?: string
  readonly dpop_signing_alg_values_supported: readonly string[]
  readonly dpop_bound_access_tokens_required: boolean
  readonly tls_client_certificate_bound_access_tokens: boolean
}

/** A resource identifier taken apart: `https://gw.example` and the path as callers write it. */
export interface ResourceIdentifier {
  readonly origin: string
  /** Begins with `/`, or is empty for the whole origin. */
  readonly path: string
}

const WELL_KNOWN = '/.well-known/oauth-protected-resource'

/** Path of the resource that a request for metadata is about; `undefined` when it is no such request. */
export function matchResourceMetadata(path: string): string | undefined {
  if (path === WELL_KNOWN || path === `${WELL_KNOWN}/`) return ''
  return path.startsWith(`${WELL_KNOWN}/`) ? path.slice(WELL_KNOWN.length) : undefined
}

/**
 * The metadata of one of our resources, `undefined` when we have none of that path.
 * @param path as {@link matchResourceMetadata} gave it
 * @param untrustedHost `Host` of the request; only chooses among the configured origins
 */
export function protectedResourceMetadata(
  config: ResourceConfig,
  path: string,
  untrustedHost?: string,
): ProtectedResourceMetadata | undefined {
  const resource = resourcesOf(config).find(
    (one) => one.path === path && one.origin === originFor(config.listen.externalOrigins, untrustedHost),
  )
  if (resource === undefined) return undefined
  const { identity } = config
  const { documentation, scopesSupported } = identity.resource
  return {
    resource: resource.origin + resource.path,
    authorization_servers: identity.issuers.map(({ issuer }) => issuer),
    bearer_methods_supported: ['header'],
    ...(scopesSupported.length > 0 ? { scopes_supported: scopesSupported } : {}),
    ...(documentation === undefined ? {} : { resource_documentation: documentation }),
    dpop_signing_alg_values_supported: identity.dpop.algorithms,
    dpop_bound_access_tokens_required: !acceptsBearer(config),
    tls_client_certificate_bound_access_tokens: acceptsCertificates(config),
  }
}

/** RFC 9728 §3.1: the well-known part goes between the host and the path of the resource. */
export function metadataUrl({ origin, path }: ResourceIdentifier): string {
  return origin + WELL_KNOWN + path
}

/**
 * What callers may ask tokens for: each external origin as a whole, and every audience that is a URL below one of
 * them. No other path has metadata, so that nobody is sent for a token that no issuer may grant.
 */
export function resourcesOf(config: ResourceConfig): readonly ResourceIdentifier[] {
  const { externalOrigins, externalPathPrefix } = config.listen
  const origins = externalOrigins.map((text) => new URL(text).origin)
  const resources = new Map<string, ResourceIdentifier>()
  const add = (resource: ResourceIdentifier): void => {
    resources.set(resource.origin + resource.path, resource)
  }
  for (const origin of origins) add({ origin, path: externalPathPrefix })
  for (const audience of config.identity.issuers.flatMap(({ audiences }) => audiences)) {
    const url = URL.parse(audience)
    if (url === null || !origins.includes(url.origin) || url.search !== '' || url.hash !== '') continue
    add({ origin: url.origin, path: url.pathname === '/' ? '' : url.pathname })
  }
  return [...resources.values()]
}

/** The configured origin that `Host` names; the first where it names none. */
export function originFor(externalOrigins: readonly string[], untrustedHost: string | undefined): string {
  const origins = externalOrigins.map((text) => new URL(text))
  const host = untrustedHost?.toLowerCase()
  // RFC 9110 §4.2.3: with its default port or without it is the same authority.
  const named = origins.find(
    (origin) => origin.host === host || `${origin.host}:${defaultPort(origin)}` === host,
  )
  return (named ?? origins[0])?.origin ?? ''
}

function defaultPort({ protocol }: URL): 443 | 80 {
  return protocol === 'https:' ? 443 : 80
}

/** Whether a client certificate can reach us at all: by our own handshake or forwarded by a proxy. */
function acceptsCertificates({ identity, listen }: ResourceConfig): boolean {
  return identity.forwardedCertificate !== undefined || (listen.tls?.clientCertificate ?? 'none') !== 'none'
}

/** Certificate-bound tokens are sent with the Bearer scheme (RFC 8705 §3), and so are unbound ones. */
export function acceptsBearer(config: ResourceConfig): boolean {
  return acceptsCertificates(config) || config.identity.dangerouslyAllowUnboundTokens
}
