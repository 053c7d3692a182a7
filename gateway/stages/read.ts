import type { Environment, Operation } from '../catalog/connector.ts'
import type { View, ViewInput } from '../catalog/view.ts'
import type { Detectors } from '../detectors/detectors.ts'
import type { Admitted, ReadCall, Resource } from '../exchange.ts'
import { collectBody } from '../listen/collect-body.ts'
import type { Collected } from '../listen/collect-body.ts'
import { kindOfBody } from '../listen/parse-body.ts'
import type { Reply } from '../listen/reply.ts'
import { NO_BODY, understandBody } from '../listen/understand-body.ts'
import type { UnderstoodBody } from '../listen/understand-body.ts'
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

/**
 * Takes the body in and makes of the call what policy will see. A client that leaves meanwhile ends the call as a
 * refusal like any other, which `reply` then turns into `client.gone`.
 */
export function createRead(dependencies: ReadDependencies): Read {
  const finish = (call: Admitted, { content, body }: UnderstoodBody): Verdict<ReadCall> => {
    const { operation, pathParams, query } = call
    const view = dependencies.view(operation, { pathParams, query, body, digest: content.digest })
    if (!view.ok) return view
    const environment = dependencies.environment(operation, view.value.resource)
    const findings = dependencies.detectors.request(call, content)
    const { params, resource, amount, phase } = view.value
    return pass({ ...call, late: false, content, params, resource, amount, phase, environment, findings })
  }

  return (call, reply) => {
    const { body, connector, headers, operation } = call
    const coding = headers.get('content-encoding')
    if (coding !== undefined && coding.toLowerCase() !== 'identity')
      return refuse('request.body_unsupported', { detail: 'a content coding' })
    if (body.declaredBytes === 0) return finish(call, NO_BODY)
    const kind = kindOfBody(body.mediaType, dependencies.acceptsOpaque(operation))
    if (!kind.ok) return kind
    const limitBytes = connector.bodyLimitBytes
    const streams = kind.value === 'multipart' || kind.value === 'opaque'
    const holdBytes = streams ? Math.min(dependencies.holdBytes, limitBytes) : limitBytes
    if (body.declaredBytes === undefined || body.declaredBytes <= limitBytes) reply.continue()

    const understand = (collected: Verdict<Collected>): Verdict<ReadCall> => {
      const understood = collected.ok ? understandBody(call, kind.value, collected.value) : collected
      return understood.ok ? finish(call, understood.value) : understood
    }
    const { request, signal } = call.arrival
    const collected = collectBody(request, body.declaredBytes, { limitBytes, holdBytes }, signal)
    if (!(collected instanceof Promise)) return understand(collected)
    return collected.then(understand).then((read) => (read.ok ? pass({ ...read.value, late: true }) : read))
  }
}
