import type { IncomingMessage } from 'node:http'
import type { Actor } from '../control/actor.ts'
import type { ResourceConfig } from '../identity/resource-metadata.ts'
import { resourceMetadataReply } from '../identity/well-known.ts'
import { problem, type Answer } from './answer.ts'
import type { Authenticate } from './authenticate.ts'
import { readRequest, type AdminRequest } from './request.ts'
import { answerActor, answerChannel, answerProbe, isForOperators, type AdminSources } from './resources.ts'
import { crossSite, isOwnAuthority } from './same-site.ts'

/** Who gets in, and by which names. */
export interface Entrance {
  readonly origins: readonly string[]
  /** Whoever is on this machine needs no credentials. */
  readonly isOpenHere: boolean
  readonly operatorGroups: ReadonlySet<string>
  /** Describes where people get tokens for this listener (RFC 9728); `undefined` where they cannot. */
  readonly resource: ResourceConfig | undefined
  readonly authenticate: Authenticate
}

/** Makes the function that answers a request, checks first: what is open to all, then who asks, then what they may. */
export function createAnswer(
  entranceNow: () => Promise<Entrance>,
  sources: AdminSources,
): (incoming: IncomingMessage) => Promise<Answer> {
  return async (incoming) => {
    const request = readRequest(incoming)
    if ('status' in request) return request
    const channel = await answerChannel(request, sources)
    if (channel !== undefined) return channel
    const entrance = await entranceNow()
    const { origins, isOpenHere, authenticate } = entrance
    // A web page may not reach a loopback listener through a name that it controls (DNS rebinding).
    if (isOpenHere && !isOwnAuthority(request, origins))
      return problem(421, 'Not an address of this listener')
    const open = (await answerProbe(request, sources)) ?? metadata(request, entrance.resource)
    if (open !== undefined) return open
    const refused = crossSite(request, origins)
    if (refused !== undefined) return refused
    const known = await authenticate(request)
    if (!known.ok) return known.answer
    return isForOperators(request) && !isOperator(known.actor, entrance.operatorGroups)
      ? problem(403, 'Only operators may see this')
      : answerActor(request, known.actor, sources)
  }
}

function metadata(
  { method, path, headers }: AdminRequest,
  resource: ResourceConfig | undefined,
): Answer | undefined {
  if (resource === undefined || (method !== 'GET' && method !== 'HEAD')) return undefined
  const reply = resourceMetadataReply(resource, path, headers.get('host'))
  return reply && { status: reply.status, contentType: 'application/json', body: reply.body.toString() }
}

function isOperator(actor: Actor, operatorGroups: ReadonlySet<string>): boolean {
  switch (actor.kind) {
    case 'operator':
      return true
    case 'person':
      return actor.person.groups.some((group) => operatorGroups.has(group))
    case 'gateway':
      return false
  }
}
