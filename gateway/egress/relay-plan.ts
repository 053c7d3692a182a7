import type { Connector } from '../catalog/connector.ts'
import type { BodySink, UpstreamReply, UpstreamRequest } from './upstream.ts'
import { HeaderList } from '../lib/header-list.ts'
import { isJsonType, parseMediaType } from '../lib/media-type.ts'
import { prepareBodyLinks, rewriteLinks, rewriteWhole } from './body-links.ts'
import { buildResponseHeaders, passedResponseHeaders } from './response-headers.ts'

/** What goes to the caller in answer to one call. */
export interface RelayPlan {
  /** What the upstream said, of which `headers` is what may pass. */
  readonly received: HeaderList
  readonly headers: readonly string[]
  /** The body, where it is there whole. */
  readonly whole: Buffer | undefined
  /** Stands between the upstream's bytes and the caller's. */
  readonly through: (sink: BodySink) => BodySink
}

/** Plans the answer to `request`; `undefined` when the upstream's header section cannot be sent as HTTP. */
export type RelayPlanner = (upstream: UpstreamReply, request: UpstreamRequest) => RelayPlan | undefined

const unchanged = (sink: BodySink): BodySink => sink

/** Prepares what is the same for every reply of a connector. */
export function createRelayPlanner(connector: Connector, externalBase: string): RelayPlanner {
  const passed = passedResponseHeaders(connector)
  const links = connector.links.body ? prepareBodyLinks(connector, externalBase) : []
  return ({ status, headers, body }, { origin, target, method }) => {
    const received = new HeaderList(headers)
    const withoutBody = status === 204 || status === 304
    const rewritesBody = links.length > 0 && isPlainJson(received)
    const list = buildResponseHeaders(received, {
      connector,
      passed,
      externalBase,
      asked: origin + target,
      rewritesBody,
      withoutBody,
    })
    if (list === undefined) return undefined
    const arrived = body.whole
    const whole = arrived !== undefined && rewritesBody ? rewriteWhole(links, arrived) : arrived
    // What is known is said, so that the caller can tell a reply that was cut off on the way.
    const lengthKnown = !rewritesBody && received.has('content-length')
    if (whole !== undefined && !withoutBody && method !== 'HEAD' && !lengthKnown) {
      list.push('content-length', String(whole.length))
    }
    const through = rewritesBody ? (sink: BodySink): BodySink => rewriteLinks(links, sink) : unchanged
    return { received, headers: list, whole, through }
  }
}

/** JSON in no content coding: the only kind in which links can be found. */
function isPlainJson(headers: HeaderList): boolean {
  if (headers.has('content-encoding')) {
    const coding = headers.all('content-encoding').join(',').trim().toLowerCase()
    if (coding !== '' && coding !== 'identity') return false
  }
  const mediaType = parseMediaType(headers.get('content-type') ?? '')
  return mediaType !== undefined && isJsonType(mediaType.essence)
}
