import type { ReadCall } from '../exchange.ts'

/** Where a call goes, as it is bound by an approval, shown to people and sent: the same text each time. */
export interface UpstreamTarget {
  readonly origin: string
  /** Path and query, byte for byte what was authorised. */
  readonly target: string
}

export function upstreamTargetOf({
  connector,
  operation,
  upstreamPath,
  query,
}: Pick<ReadCall, 'connector' | 'operation' | 'query' | 'upstreamPath'>): UpstreamTarget {
  return {
    origin: operation.origin ?? connector.origin,
    target: query === '' ? upstreamPath : `${upstreamPath}?${query}`,
  }
}
