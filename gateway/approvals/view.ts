import { hash } from 'node:crypto'
import type { Access, Environment } from '../catalog/connector.ts'
import type { ReadBody, Resource } from '../exchange.ts'
import { REASONS } from '../policy/reasons.ts'
import type { Reason } from '../refusal.ts'
import type { Bound } from './binding.ts'
import { bodyLines, fieldLines } from './view-body.ts'
import { count, shown } from './visible.ts'

/** What people have to know beside the call itself. */
export interface ViewContext {
  readonly kind: ReadBody['kind']
  readonly access: Access
  readonly phase: string
  readonly environment: Environment
  readonly resource: Resource
  /** 0 to 10. */
  readonly risk: number
  readonly reasons: readonly Reason[]
}

export interface RenderedView {
  readonly text: string
  /** Hex SHA-256 of `text` in UTF-8. */
  readonly digest: string
}

type Lines = readonly string[]

/** Fields of a query or of the header section that are shown. */
const MOST_FIELDS = 64

/**
 * What people decide about: plain text, made from the bytes that the approval is bound to, always the same for the same
 * call. Headings begin a line, everything else is indented and never holds a line break, so that no value can pass for a
 * heading or for another field.
 */
export function renderView(bound: Bound, context: ViewContext): RenderedView {
  const text = [
    ...section('CALL', callLines(bound, context)),
    ...section('QUERY', some(fieldLines(queryOf(bound.target)))),
    ...section('HEADERS', some(headerLines(bound.headers))),
    ...section(
      bodyTitle(bound, context),
      bodyLines(context.kind, bufferOf(bound.body), contentTypeOf(bound)),
    ),
    ...section('ASKED BY', callerLines(bound)),
    ...section(`RISK ${context.risk} of 10`, context.reasons.map(reasonLine)),
    ...section('SAID BY THE AGENT ITSELF, NOT CHECKED', declaredLines(bound.declared)),
  ].join('\n')
  return { text, digest: hash('sha256', text, 'hex') }
}

function section(title: string, lines: Lines): Lines {
  const always = title === 'CALL' || title.startsWith('BODY') || title.startsWith('RISK')
  return lines.length === 0 && !always ? [] : [title, ...lines.map((line) => `  ${line}`)]
}

function callLines({ method, origin, target, operation, connector }: Bound, context: ViewContext): Lines {
  const { access, phase, environment, resource } = context
  const { amount, ...named } = resource
  return [
    `operation: ${shown(operation)} [${phase === '' ? access : `${access}, ${phase}`}]`,
    `connector: ${shown(connector)}`,
    `method: ${shown(method)}`,
    `url: ${shown(origin + target)}`,
    `environment: ${environment}`,
    ...Object.entries(named).flatMap(([name, value]) => (value === '' ? [] : [`${name}: ${shown(value)}`])),
    ...(amount.currency === '' ? [] : [`amount: ${amount.value} ${shown(amount.currency)}`]),
  ]
}

function bodyTitle({ body }: Bound, { kind }: ViewContext): string {
  if (kind === 'none') return 'BODY none'
  return `BODY ${count(body.length)} bytes, ${kind}, sha256 ${hash('sha256', body, 'hex')}`
}

function callerLines({ agent, principal, tenant }: Bound): Lines {
  return [
    `agent: ${shown(agent.id)}`,
    `for: ${shown(principal.id)}`,
    ...(principal.act.length === 0 ? [] : [`through: ${principal.act.slice(0, 16).map(shown).join(', ')}`]),
    `tenant: ${shown(tenant)}`,
    `vouched for by: ${shown(agent.issuer)}`,
    `key: ${agent.key === '' ? '[none]' : shown(agent.key)}`,
  ]
}

function reasonLine({ code, rule, detail }: Reason): string {
  return `${shown(rule)} ${code}: ${REASONS[code]}${detail === '' ? '' : ` ${shown(detail)}`}`
}

function declaredLines({ task, rationale, ticket, rollbackPlan }: Bound['declared']): Lines {
  const all = { task, ticket, rationale, 'rollback plan': rollbackPlan }
  return Object.entries(all).flatMap(([name, value]) => (value === '' ? [] : [`${name}: ${shown(value)}`]))
}

function headerLines(flat: Lines): Lines {
  const lines: string[] = []
  for (let index = 0; index + 1 < flat.length; index += 2) {
    lines.push(`${shown(flat[index] as string)}: ${shown(flat[index + 1] as string)}`)
  }
  return lines
}

function some(lines: Lines): Lines {
  if (lines.length <= MOST_FIELDS) return lines
  return [...lines.slice(0, MOST_FIELDS), `[${count(lines.length - MOST_FIELDS)} more are not shown]`]
}

function queryOf(target: string): string {
  const mark = target.indexOf('?')
  return mark === -1 ? '' : target.slice(mark + 1)
}

function contentTypeOf({ headers }: Bound): string {
  const at = headers.findIndex((text, index) => index % 2 === 0 && text === 'content-type')
  return at === -1 ? '' : (headers[at + 1] ?? '')
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
