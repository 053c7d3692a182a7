import type { Arrival, Received } from '../exchange.ts'
import { peerOf } from '../identity/peer.ts'
import { readDeclared } from '../listen/rules/declared.ts'
import { readFraming } from '../listen/rules/framing.ts'
import { judgeHeaderSection } from '../listen/rules/header-section.ts'
import { readTarget } from '../listen/rules/target.ts'
import { readWishes } from '../listen/rules/wishes.ts'
import { readTrace } from '../listen/rules/trace.ts'
import { HeaderList } from '../lib/header-list.ts'
import { parseMediaType } from '../lib/media-type.ts'
import { createRandomPool } from '../lib/random-pool.ts'
import { pass, refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'

/**
 * The first stage: one reading of the request, or none. Refuses whatever two HTTP implementations could take for
 * different requests, so that what is authorised later is byte for byte what was received.
 */
export function createReceive(): (arrival: Arrival) => Verdict<Received> {
  const random = createRandomPool()
  const randomHex = (sizeBytes: number): string => random(sizeBytes).toString('hex')

  return (arrival) => {
    const { request } = arrival
    const { method = '', url: target = '', httpVersion } = request
    const headers = new HeaderList(request.rawHeaders)
    const refusal = judgeHeaderSection(headers)
    if (refusal !== undefined) return { ok: false, refusal }
    const framing = readFraming({ method, httpVersion, headers })
    if (!framing.ok) return framing
    const canonical = readTarget(target)
    if (!canonical.ok) return canonical
    const declared = readDeclared(headers)
    if (!declared.ok) return declared
    const wishes = readWishes(headers)
    if (!wishes.ok) return wishes
    const contentType = headers.get('content-type')
    const mediaType = contentType === undefined ? undefined : parseMediaType(contentType)
    if (contentType !== undefined && mediaType === undefined) {
      return refuse('request.malformed', { detail: 'Content-Type is not a media type' })
    }
    return pass({
      arrival,
      method,
      target,
      path: canonical.value.path,
      query: canonical.value.query,
      headers,
      peer: peerOf(request.socket),
      body: { declaredBytes: framing.value, stream: request, mediaType: mediaType?.essence ?? '' },
      declared: declared.value,
      wishes: wishes.value,
      trace: readTrace(headers, randomHex),
    })
  }
}
