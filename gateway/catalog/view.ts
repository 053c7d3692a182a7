import type { Amount, Params, Resource } from '../exchange.ts'
import { assertNever } from '../lib/assert-never.ts'
import { pass, refuse, type Refusal, type Verdict } from '../refusal.ts'
import { majorUnits, readAmount } from './amount.ts'
import type { CompiledOperation } from './compile.ts'
import type { Connector } from './connector.ts'
import { hasLookalike, readFields, type Fields } from './fields.ts'
import { phaseOf, type Phase } from './phase.ts'
import { createObject, Projector } from './projection.ts'
import { readResource, type ResourceSources } from './resource.ts'

/** The body as the read stage understood it; what it could not or would not parse is `opaque`. */
export type ViewBody =
  | { readonly kind: 'none' | 'opaque' }
  | { readonly kind: 'json'; readonly value: unknown }
  /** Urlencoded text as sent. */
  | { readonly kind: 'form'; readonly text: string }
  /** Names of the parts; their bytes are not for policy. */
  | { readonly kind: 'multipart'; readonly names: readonly string[] }

export interface ViewInput {
  /** Decoded once, as `match` gave them. */
  readonly pathParams: Readonly<Record<string, string>>
  /** Raw query, without `?`. */
  readonly query: string
  readonly body: ViewBody
  /** Hex SHA-256 of the body bytes. */
  readonly digest: string
}

export interface View {
  readonly params: Params
  readonly resource: Resource
  /** What the call moves; only where the operation carries an amount. */
  readonly amount: Amount | undefined
  readonly phase: Phase
}

/** Fields by which frameworks let a form or a link stand for another method; the headers of that kind never pass. */
const METHOD_OVERRIDES: readonly string[] = ['_method', 'x-http-method-override']
const NO_FIELDS: Fields = new Map()
const NOTHING: Readonly<Record<string, unknown>> = Object.freeze(createObject())
const NO_AMOUNT = { value: 0, currency: '' }
const NOT_CARRIED: Verdict<undefined> = { ok: true, value: undefined }

/**
 * What policy sees of one call: `params` is a bounded copy of what rules may read, `resource` the exact, vendor-neutral
 * name of what is acted upon. Refuses what the upstream could read in another way, credentials outside
 * `Authorization`, and resource names too long to be carried whole.
 */
export function viewCall(connector: Connector, compiled: CompiledOperation, input: ViewInput): Verdict<View> {
  const query = readFields(input.query)
  if (!query.ok) return refuse('request.ambiguous', { detail: `query: ${query.reason}` })
  const body = readBody(input.body)
  if (!body.ok) return body
  const misplaced = credentialIn(connector, query.fields, input.body, body.value)
  if (misplaced !== undefined) return misplaced
  const override = METHOD_OVERRIDES.find((name) => holds(query.fields, name) || holdsIn(body.value, name))
  if (override !== undefined) return refuse('request.ambiguous', { detail: `"${override}" names a method` })
  const sources = { path: input.pathParams, query: query.fields, body: body.value }
  const resource = readResource(compiled.resources, sources)
  if (!resource.ok) return resource
  const amount = compiled.amount === undefined ? NOT_CARRIED : readAmount(compiled.amount, sources)
  if (!amount.ok) return amount
  return pass({
    params: project(compiled, input, query.fields, body.value),
    resource: { ...resource.value, amount: shown(amount.value) },
    amount: amount.value,
    phase: phaseOf(compiled.phase, sources),
  })
}

function shown(amount: Amount | undefined): Resource['amount'] {
  if (amount === undefined) return NO_AMOUNT
  return { value: majorUnits(amount.minor, amount.minorDigits), currency: amount.currency }
}

function readBody(body: ViewBody): Verdict<ResourceSources['body']> {
  switch (body.kind) {
    case 'none':
      return pass({ kind: 'none' })
    case 'json':
      return pass(body)
    case 'opaque':
    case 'multipart':
      return pass({ kind: 'unseen' })
    case 'form': {
      const form = readFields(body.text)
      if (!form.ok) return refuse('request.body_invalid', { detail: `form: ${form.reason}` })
      return pass({ kind: 'form', fields: form.fields })
    }
    default:
      return assertNever(body)
  }
}

function project(
  compiled: CompiledOperation,
  input: ViewInput,
  query: Fields,
  body: ResourceSources['body'],
): Params {
  const projector = new Projector()
  const path = projector.texts(input.pathParams)
  const queryView = query.size === 0 ? NOTHING : projector.fields(query)
  let bodyView: Readonly<Record<string, unknown>> = NOTHING
  if (body.kind === 'json') bodyView = projector.body(body.value, compiled.body)
  else if (body.kind === 'form') bodyView = projector.fields(body.fields)
  else if (input.body.kind === 'multipart') bodyView = projector.body({ parts: input.body.names }, 'all')
  return { path, query: queryView, body: bodyView, truncated: projector.truncated, digest: input.digest }
}

/** RFC 6750 §2.2 and §2.3 let a token travel in a form or a query; here it would pass the agent's by the gateway's. */
function credentialIn(
  connector: Connector,
  query: Fields,
  input: ViewBody,
  body: ResourceSources['body'],
): { ok: false; refusal: Refusal } | undefined {
  const { credentialParameters } = connector
  const inQuery = credentialParameters.query.find((name) => holds(query, name))
  if (inQuery !== undefined) return misplaced(`query parameter "${inQuery}"`)
  const names = namesOf(input, body)
  const inBody = credentialParameters.body.find((name) => holds(names, name))
  return inBody === undefined ? undefined : misplaced(`body field "${inBody}"`)
}

function namesOf(input: ViewBody, body: ResourceSources['body']): Fields {
  if (body.kind === 'form') return body.fields
  if (input.kind === 'multipart') return new Map(input.names.map((name) => [name, []]))
  if (body.kind !== 'json' || typeof body.value !== 'object' || body.value === null) return NO_FIELDS
  return new Map(Object.keys(body.value).map((name) => [name, []]))
}

function holds(fields: Fields, name: string): boolean {
  if (fields.size === 0) return false
  return fields.has(name) || hasLookalike(fields, name)
}

function holdsIn(body: ResourceSources['body'], name: string): boolean {
  return body.kind === 'form' && holds(body.fields, name)
}

function misplaced(detail: string): { ok: false; refusal: Refusal } {
  return refuse('request.credential_misplaced', { detail })
}
