import type { Connector } from '../catalog/connector.ts'
import { passedRequestHeaders } from '../egress/request-headers.ts'
import { upstreamTargetOf } from '../egress/upstream-target.ts'
import type { Decided, ReadCall } from '../exchange.ts'
import type { Subject } from './approval.ts'
import { bindingOf, type Bound, boundHeaders } from './binding.ts'
import { renderView } from './view.ts'

/** Takes a call apart into what an approval of it is bound to. Only for bodies that are held whole. */
export type BoundOf = (call: ReadCall) => Bound

export function createBoundOf(connectors: readonly Connector[]): BoundOf {
  const passedBy = new Map(connectors.map((connector) => [connector.name, passedRequestHeaders(connector)]))
  return (call) => {
    const { caller, connector, operation, content, declared, method } = call
    const passed = passedBy.get(connector.name)
    if (passed === undefined) throw new RangeError(`${connector.name} is not a connector of this catalogue`)
    if (content.stream !== undefined) throw new RangeError('a body that is streamed cannot be bound')
    const { agent, principal, tenant } = caller
    return {
      method,
      ...upstreamTargetOf(call),
      headers: boundHeaders(call, passed),
      body: content.bytes,
      connector: connector.name,
      operation: operation.id,
      tenant,
      agent: { id: agent.id, issuer: agent.issuer, key: agent.key },
      principal: { id: principal.id, act: principal.act },
      declared,
    }
  }
}

/** What people are asked about, and what they are shown of it: both from the same bytes. */
export function subjectOf(call: Decided, bound: Bound): Subject {
  const { arrival, connector, operation, declared, decision, policy } = call
  const reasons = [...decision.reasons, ...decision.reported]
  const view = renderView(bound, {
    kind: call.content.kind,
    access: operation.access,
    phase: call.phase,
    environment: call.environment,
    resource: call.resource,
    risk: decision.risk,
    reasons,
  })
  return {
    binding: bindingOf(bound),
    callId: arrival.callId,
    tenant: bound.tenant,
    agent: bound.agent,
    principal: bound.principal.id,
    connector: connector.name,
    operation: operation.id,
    task: declared.task,
    risk: decision.risk,
    reasons,
    policy,
    view: view.text,
    viewDigest: view.digest,
  }
}

/** Whether it is the very same agent, with the same key, that an approval is about. */
export function isOwn(
  { agent, tenant }: Pick<Subject, 'agent' | 'tenant'>,
  call: Pick<ReadCall, 'caller'>,
): boolean {
  const { caller } = call
  return (
    agent.id === caller.agent.id &&
    agent.issuer === caller.agent.issuer &&
    agent.key === caller.agent.key &&
    tenant === caller.tenant
  )
}
