import { pass, refuse, type Verdict } from '../refusal.ts'
import type { Connector, Operation } from './connector.ts'

/** Name that no configured connector may have. */
export const OWN_NAME = 'toolgate'

/** Where agents ask the gateway itself, at every way in. */
export const OWN_PREFIX = '/.well-known/toolgate'

/** Stands for the gateway itself where a call has to name a connector; nothing is ever forwarded for it. */
export const OWN_CONNECTOR: Connector = {
  name: OWN_NAME,
  origin: '',
  basePath: '',
  dialect: 'problem',
  bodyLimitBytes: 0,
  prefix: OWN_PREFIX,
  headers: { request: [], response: [] },
  redirectHosts: [],
  links: { header: false, body: false, origins: [] },
  credentialParameters: { query: [], body: [] },
  sensitiveResources: [],
}

const TEMPLATE = '/approvals/{id}'
const APPROVAL = /^\/approvals\/([^/]+)$/

const own = (name: string, method: string, access: Operation['access']): Operation => ({
  id: `${OWN_NAME}.${name}`,
  connector: OWN_NAME,
  method,
  template: TEMPLATE,
  access,
  risk: 0,
  dataClass: 'public',
  reversible: true,
})

/** How an approval stands. */
export const SHOW_APPROVAL = own('approvals/get', 'GET', 'read')
/** The agent no longer wants it. */
export const WITHDRAW_APPROVAL = own('approvals/withdraw', 'DELETE', 'write')

export interface OwnMatch {
  readonly operation: Operation
  readonly pathParams: Readonly<Record<string, string>>
  readonly path: string
}

export function matchOwn(method: string, path: string): Verdict<OwnMatch> {
  const [, id] = APPROVAL.exec(path) ?? []
  const operation = operationOf(method)
  if (id === undefined || operation === undefined) return refuse('route.unknown_operation')
  return pass({ operation, pathParams: { id }, path })
}

function operationOf(method: string): Operation | undefined {
  if (method === 'GET' || method === 'HEAD') return SHOW_APPROVAL
  return method === 'DELETE' ? WITHDRAW_APPROVAL : undefined
}
