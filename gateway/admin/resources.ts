import type { Actor } from '../control/actor.ts'
import type { ControlAnswer, ControlPlane } from '../control/control.ts'
import { json, problem, type Answer } from './answer.ts'
import { adminDescription } from './openapi.ts'
import { readBytes, readJson } from './read-body.ts'
import type { AdminRequest } from './request.ts'

/** Why the gateway may not be sent calls, by the name of what is missing; empty when it may. */
export type Readiness = Readonly<Record<string, string>>

/** Where answers come from; the control plane has approvals, locks and what channels post. */
export interface AdminSources extends ControlPlane {
  readiness(): Readiness | Promise<Readiness>
  /** What to know of a gateway that may be sent calls; by the name of the part. */
  notes?(): Readiness | Promise<Readiness>
  /** Prometheus text exposition. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>
  /** State for people: policy, identity, connectors, store, audit; no secrets. */
  status(): unknown
  /** Effective configuration; secrets are references in it. */
  config(): unknown
}

const CONTROL_PREFIX = '/admin/v1/'
const CHANNEL_PREFIX = '/channels/'
const METRICS = '/metrics'
const STATUS = '/admin/v1/status'
const CONFIG = '/admin/v1/config'
const DESCRIPTION = '/admin/v1/openapi.json'

/** What shows how the gateway is built and run, which is no business of those who only answer for calls. */
export function isForOperators({ path }: AdminRequest): boolean {
  return path === METRICS || path === STATUS || path === CONFIG
}

/** What probes may ask, who hold no credentials; `undefined` for everything else. */
export async function answerProbe(
  { method, path, query }: AdminRequest,
  sources: AdminSources,
): Promise<Answer | undefined> {
  const isProbe = path === '/healthz' || path === '/readyz' || path === '/health'
  if (!isProbe) return undefined
  if (!isReading(method)) return onlyReading()
  if (path === '/healthz') return json(200, { status: 'ok' })
  if (path === '/health') return opaHealth(query, await sources.readiness())
  return readiness(await sources.readiness(), (await sources.notes?.()) ?? {})
}

/** What a channel posts, which its own signature vouches for; `undefined` for everything else. */
export async function answerChannel(
  { method, path, headers, incoming }: AdminRequest,
  sources: AdminSources,
): Promise<Answer | undefined> {
  if (!path.startsWith(CHANNEL_PREFIX)) return undefined
  if (method !== 'POST') return problem(405, 'Only POST', { headers: { allow: 'POST' } })
  const bytes = await readBytes(incoming)
  if (!bytes.ok) return bytes.answer
  return sources.channel({
    path: path.slice(CHANNEL_PREFIX.length),
    untrustedHeaders: headers.flat,
    untrustedBodyBase64: bytes.value.toString('base64'),
  })
}

/** Everything that somebody has to be known for. */
export async function answerActor(
  request: AdminRequest,
  actor: Actor,
  sources: AdminSources,
): Promise<Answer> {
  switch (request.path) {
    case METRICS:
    case STATUS:
    case CONFIG:
    case DESCRIPTION:
      return isReading(request.method) ? show(request.path, sources) : onlyReading()
    default:
      return request.path.startsWith(CONTROL_PREFIX)
        ? control(request, actor, sources)
        : problem(404, 'No such resource')
  }
}

async function show(path: string, sources: AdminSources): Promise<Answer> {
  switch (path) {
    case METRICS: {
      const { contentType, text } = await sources.metrics()
      return { status: 200, contentType, body: text }
    }
    case STATUS:
      return json(200, await sources.status())
    case CONFIG:
      return json(200, await sources.config())
    default:
      return json(200, adminDescription)
  }
}

async function control(request: AdminRequest, actor: Actor, plane: ControlPlane): Promise<Answer> {
  const body = await readJson(request)
  if (!body.ok) return body.answer
  const isRead = isReading(request.method)
  if (isRead && body.value !== undefined) return problem(400, 'A request that only reads has no body')
  const {
    status,
    body: answered,
    headers,
  } = await plane.control({
    method: request.method === 'HEAD' ? 'GET' : request.method,
    path: request.path.slice(CONTROL_PREFIX.length),
    query: request.query,
    body: body.value,
    actor,
  })
  return {
    ...json(status, answered),
    contentType: typeOf(status),
    ...(headers && { headers: flat(headers) }),
  }
}

function typeOf(status: number): string {
  return status >= 400 ? 'application/problem+json' : 'application/json'
}

function flat(headers: NonNullable<ControlAnswer['headers']>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined))
}

function isReading(method: AdminRequest['method']): boolean {
  return method === 'GET' || method === 'HEAD'
}

function onlyReading(): Answer {
  return problem(405, 'Only GET and HEAD', { headers: { allow: 'GET, HEAD' } })
}

function readiness(reasons: Readiness, notes: Readiness): Answer {
  const isReady = Object.keys(reasons).length === 0
  const said = Object.keys(notes).length === 0 ? {} : { notes }
  return json(isReady ? 200 : 503, { status: isReady ? 'ready' : 'not ready', reasons, ...said })
}

/**
 * Health as OPA answers it, for probes that were written for one. There is no gateway without its bundles, so whoever
 * asks for `bundles` or `plugins` is told whether calls may be sent.
 *
 * @see https://www.openpolicyagent.org/docs/rest-api#health-api
 */
function opaHealth(query: string, reasons: Readiness): Answer {
  const asked = new URLSearchParams(query)
  const missing = Object.keys(reasons)
  if (missing.length === 0 || !(asked.has('bundles') || asked.has('plugins'))) return json(200, {})
  return json(500, { error: `not ready: ${missing.join(', ')}` })
}
