import { hash } from 'node:crypto'
import type { Environment, Operation } from '../catalog/connector.ts'
import type { View, ViewInput } from '../catalog/view.ts'
import type { Detectors } from '../detectors/detectors.ts'
import type { Admitted, ReadBody, ReadCall, Resource } from '../exchange.ts'
import { collectBody } from '../listen/collect-body.ts'
import type { Collected } from '../listen/collect-body.ts'
import { kindOfBody, parseBody } from '../listen/parse-body.ts'
import type { ParsedBody } from '../listen/parse-body.ts'
import type { Reply } from '../listen/reply.ts'
import { pass, refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'

export interface ReadDependencies {
  view(operation: Operation, input: ViewInput): Verdict<View>
  environment(operation: Operation, resource: Resource): Environment
  /** Whether the operation takes files, so that a body which policy cannot see is in order. */
  acceptsOpaque(operation: Operation): boolean
  readonly detectors: Pick<Detectors, 'request'>
  /** Multipart and opaque bodies above this stay a stream. */
  readonly holdBytes: number
}

type Read = (call: Admitted, reply: Reply) => Verdict<ReadCall> | Promise<Verdict<ReadCall>>

const EMPTY_DIGEST = hash('sha256', '', 'hex')
const NO_BODY: ReadBody = { kind: 'none', bytes: Buffer.alloc(0), stream: undefined, digest: EMPTY_DIGEST }

/**
 * Takes the body in and makes of the call what policy will see. A client that leaves meanwhile ends the call as a
 * refusal like any other, which `reply` then turns into `client.gone`.
 */
export function createRead(dependencies: ReadDependencies): Read {
  const finish = (call: Admitted, content: ReadBody, body: ParsedBody): Verdict<ReadCall> => {
    const { operation, pathParams, query } = call
    const view = dependencies.view(operation, { pathParams, query, body, digest: content.digest })
    if (!view.ok) return view
    const environment = dependencies.environment(operation, view.value.resource)
    const findings = dependencies.detectors.request(call, content)
    return pass({ ...call, late: false, content, ...view.value, environment, findings })
  }

  return (call, reply) => {
    const { body, connector, headers, operation } = call
    const coding = headers.get('content-encoding')
    if (coding !== undefined && coding.toLowerCase() !== 'identity') {
      return refuse('request.body_unsupported', { detail: 'a content coding' })
    }
    if (body.declaredBytes === 0) return finish(call, NO_BODY, { kind: 'none' })
    const kind = kindOfBody(body.mediaType, dependencies.acceptsOpaque(operation))
    if (!kind.ok) return kind
    const limitBytes = connector.bodyLimitBytes
    const streams = kind.value === 'multipart' || kind.value === 'opaque'
    const limits = {
      limitBytes,
      holdBytes: streams ? Math.min(dependencies.holdBytes, limitBytes) : limitBytes,
    }
    if (body.declaredBytes === undefined || body.declaredBytes <= limitBytes) reply.continue()

    const understand = (collected: Verdict<Collected>): Verdict<ReadCall> => {
      if (!collected.ok) return collected
      if ('stream' in collected.value) {
        // A form that is too large to be read could hold a credential, which would act in place of ours.
        if (kind.value === 'multipart' && connector.credentialParameters.body.length > 0) {
          return refuse('request.body_too_large', {
            detail: 'a form that cannot be searched for a credential',
          })
        }
        const { stream } = collected.value
        const content: ReadBody = { kind: kind.value, bytes: NO_BODY.bytes, stream, digest: '' }
        return finish(call, content, { kind: 'opaque' })
      }
      const { bytes } = collected.value
      if (bytes.length === 0) return finish(call, NO_BODY, { kind: 'none' })
      const parsed = parseBody(kind.value, bytes, headers.get('content-type'))
      if (!parsed.ok) return parsed
      const content = { kind: kind.value, bytes, stream: undefined, digest: hash('sha256', bytes, 'hex') }
      return finish(call, content, parsed.value)
    }
    const { request, signal } = call.arrival
    const collected = collectBody(request, body.declaredBytes, limits, signal)
    if (!(collected instanceof Promise)) return understand(collected)
    return collected.then(understand).then((read) => (read.ok ? pass({ ...read.value, late: true }) : read))
  }
}
