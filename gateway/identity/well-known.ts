import { matchResourceMetadata, protectedResourceMetadata, type ResourceConfig } from './resource-metadata.ts'

interface Document {
  readonly status: number
  /** Flat name, value list. */
  readonly headers: readonly string[]
  readonly body: Buffer
}

/** Answers requests for protected resource metadata (RFC 9728 §3.2); `undefined` leaves a path to the connectors. */
export function resourceMetadataReply(config: ResourceConfig, path: string): Document | undefined {
  const resource = matchResourceMetadata(path)
  if (resource === undefined) return undefined
  const metadata = protectedResourceMetadata(config, resource)
  if (metadata === undefined) return undefined
  const headers = ['Content-Type', 'application/json', 'Cache-Control', 'max-age=300']
  return { status: 200, headers, body: Buffer.from(JSON.stringify(metadata)) }
}
