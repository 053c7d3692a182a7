import { matchResourceMetadata, protectedResourceMetadata, type ResourceConfig } from './resource-metadata.ts'

interface Document {
  readonly status: number
  /** Flat name, value list. */
  readonly headers: readonly string[]
  readonly body: Buffer
}

/**
 * Answers requests for protected resource metadata (RFC 9728 §3.2); `undefined` leaves a path to the connectors.
 * @param untrustedHost `Host` of the request: a client compares `resource` with the URL it asked (§3.3), so under
 * several origins it has to be told of the one it came by
 */
export function resourceMetadataReply(
  config: ResourceConfig,
  path: string,
  untrustedHost?: string,
): Document | undefined {
  const resource = matchResourceMetadata(path)
  if (resource === undefined) return undefined
  const metadata = protectedResourceMetadata(config, resource, untrustedHost)
  if (metadata === undefined) return undefined
  const headers = ['Content-Type', 'application/json', 'Cache-Control', 'max-age=300']
  return { status: 200, headers, body: Buffer.from(JSON.stringify(metadata)) }
}
