import type { Caller } from '../caller.ts'
import type { SensitiveResource } from '../catalog/connector.ts'
import { isNothing, type Findings } from '../detectors/findings.ts'
import { isSensitiveName } from '../detectors/sensitive-name.ts'
import type { Declared, ReadBody, Resource, Routed } from '../exchange.ts'
import { looksSecret, printable, scrub } from '../lib/scrub.ts'
import type { Reason } from '../refusal.ts'
import type {
  DeclaredFields,
  DisclosedFields,
  FindingFields,
  ReasonFields,
  RequestFields,
  ResourceFields,
  WhatFields,
  WhoFields,
} from './entry-fields.ts'
import type { KeyedTokens } from './keyed-tokens.ts'

/**
 * Limits in characters. Each is at most three bytes once encoded, so that all of them together stay well below the
 * 65,535 bytes of an entry whatever a caller sends.
 */
const ID_LIMIT = 256
const TEXT_LIMIT = 1_024
const DETAIL_LIMIT = 256
const LIST_LIMIT = 16

/** What a name of a project, repository or channel looks like; anything else is shown as a token. */
const NAME = /^[\p{L}\p{N}#@][\p{L}\p{N} ._/#@:-]{0,99}$/u

export function whoFields({ agent, principal, tenant, tokenId }: Caller): WhoFields {
  return {
    act: principal.act.slice(0, LIST_LIMIT).map((actor) => printable(actor, ID_LIMIT)),
    agent: printable(agent.id, ID_LIMIT),
    binding: agent.binding,
    issuer: printable(agent.issuer, ID_LIMIT),
    key: printable(agent.key, ID_LIMIT),
    principal: printable(principal.id, ID_LIMIT),
    tenant: printable(tenant, ID_LIMIT),
    token: printable(tokenId, ID_LIMIT),
  }
}

export function whatFields(
  call: Pick<Routed, 'connector' | 'operation' | 'pathParams' | 'method'>,
  tokens: KeyedTokens,
  disclosed: DisclosedFields | undefined,
): WhatFields {
  return {
    access: call.operation.access,
    connector: call.connector.name,
    method: call.method,
    operation: printable(call.operation.id, ID_LIMIT),
    ...(disclosed?.params === undefined && { params: commitToParams(call.pathParams, tokens) }),
  }
}

/** `sensitive` names are tokens whatever they look like; others are where they look like no name, or tell of a person. */
export function resourceFields(
  resource: Resource,
  tokens: KeyedTokens,
  sensitive: readonly SensitiveResource[],
): ResourceFields {
  const shown = (name: SensitiveResource): string => {
    const value = resource[name]
    if (value === '') return ''
    if (sensitive.includes(name)) return tokens.tokenOf(value)
    const isName = NAME.test(value) && !looksSecret(value) && !isSensitiveName(value)
    return isName ? value : tokens.tokenOf(value)
  }
  return {
    // An account number has ten digits and a whole bank behind it: never in clear, never as a bare hash.
    account: resource.account === '' ? '' : tokens.tokenOf(resource.account),
    amount: resource.amount.value,
    channel: shown('channel'),
    currency: printable(resource.amount.currency, 8),
    project: shown('project'),
    repository: shown('repository'),
  }
}

/** Free text may name people, and a log cannot forget: what is kept apart is not repeated here. */
export function declaredFields(
  declared: Declared,
  tokens: KeyedTokens,
  disclosed: DisclosedFields | undefined,
): DeclaredFields {
  const { rationale, rollbackPlan, ticket } = declared
  return {
    ...(disclosed === undefined && {
      rationale: scrub(rationale, TEXT_LIMIT),
      rollback_plan: rollbackPlan === '' ? '' : tokens.commitmentTo(rollbackPlan),
    }),
    task: scrub(declared.task, ID_LIMIT),
    ticket: isSensitiveName(ticket) ? tokens.tokenOf(ticket) : scrub(ticket, ID_LIMIT),
  }
}

export function reasonFields(reasons: readonly Reason[]): ReasonFields[] {
  return reasons.slice(0, LIST_LIMIT).map(({ code, rule, detail }) => ({
    code,
    detail: scrub(detail, DETAIL_LIMIT),
    rule: printable(rule, 32),
  }))
}

export function findingFields({ injection, pii, secrets }: Findings): FindingFields {
  return { injection, pii, secrets }
}

/** Left out where nothing was found, as nearly always. */
export function foundField<Name extends 'findings' | 'reply_findings'>(
  name: Name,
  findings: Findings | undefined,
): Partial<Record<Name, FindingFields>> {
  if (findings === undefined || isNothing(findings)) return {}
  return { [name]: findingFields(findings) } as Record<Name, FindingFields>
}

/** Left out where there is nothing to tell, as nearly always. */
export function obligationFields(ids: readonly string[]): string[] {
  return ids.slice(0, LIST_LIMIT).map((id) => printable(id, 64))
}

export function reportedField(reported: readonly Reason[] = []): { readonly reported?: ReasonFields[] } {
  return reported.length === 0 ? {} : { reported: reasonFields(reported) }
}

/** Digest of the body as a commitment: a body can be as guessable as the account number in it. */
export function requestFields(content: ReadBody, tokens: KeyedTokens): RequestFields {
  const { kind, bytes, digest } = content
  return {
    bytes: bytes.length,
    digest: bytes.length === 0 ? '' : tokens.commitmentTo(digest),
    kind,
  }
}

export function detailField(detail: string): string {
  return scrub(detail, DETAIL_LIMIT)
}

function commitToParams(pathParams: Readonly<Record<string, string>>, tokens: KeyedTokens): string {
  const names = Object.keys(pathParams)
  if (names.length === 0) return ''
  return tokens.commitmentTo(JSON.stringify(names.sort().map((name) => [name, pathParams[name]])))
}
