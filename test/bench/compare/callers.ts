import type { Issuer } from '../../harness/issuer.ts'
import { createProofKey } from '../../harness/proof.ts'
import type { LoadAgent, LoadPlan } from '../load/plan.ts'
import type { Access, World } from './row.ts'

/** How a token is tied to who sends it; `none` is a bearer token, which Toolgate takes only where told to. */
export type Binding = 'none' | 'mtls' | 'dpop'

/** Agents behind one row, each with its own token, and key where there are keys. */
const AGENTS = 50
const LIFETIME_MS = 3_600_000

const COMMENT = {
  version: 1,
  type: 'doc',
  content: [
    {
      type: 'paragraph',
      content: [{ type: 'text', text: 'Advisory: no public bucket, rollback plan present.' }],
    },
  ],
}

/** The same calls for every row. */
export const CALLS: Readonly<Record<Access, Pick<LoadPlan, 'method' | 'target' | 'body'>>> = {
  read: { method: 'GET', target: '/github/repos/zyx/platform-infra/pulls/{n}', body: '' },
  write: {
    method: 'POST',
    target: '/jira/rest/api/3/issue/CHG-18422/comment',
    body: JSON.stringify({ body: COMMENT }),
  },
}

export const HEADERS = {
  'User-Agent': 'bench',
  Accept: 'application/json',
  'Toolgate-Task': 'CHG-18422',
  'Toolgate-Ticket': 'CHG-18422',
  'Toolgate-Rollback-Plan': 'Delete the comment',
}

const CLAIMS = {
  client_id: 'change-review-agent',
  sub: 'dana@zyx.example',
  tenant: 'zyx-bank',
  groups: ['devsecops-change-review'],
  device_compliant: true,
}

/** The agents of a row, each with claims of its own where `claimsOf` says so. */
export function callers(
  binding: Binding,
  { issuer, x5t }: { readonly issuer: Issuer; readonly x5t: string },
  { count = AGENTS, claimsOf = () => ({}) }: { count?: number; claimsOf?: (index: number) => object } = {},
): LoadAgent[] {
  // A key for each of so many would take longer to make than to use: fifty keys, and a token for each agent.
  const keys = Array.from({ length: binding === 'dpop' ? Math.min(count, AGENTS) : 0 }, () =>
    createProofKey(),
  )
  return Array.from({ length: count }, (_none, index) => {
    const key = keys[index % AGENTS]
    const claims = { ...CLAIMS, ...claimsOf(index) }
    const bound = binding === 'mtls' ? { x5t } : { jkt: key?.jkt }
    const token = issuer.token({ ...bound, claims, lifetimeMs: LIFETIME_MS })
    return { token, key: key && { publicJwk: key.publicJwk, privateJwk: key.privateJwk } }
  })
}

/** Somebody whom the issuer knows and no rule grants anything. */
export function outsider(
  binding: Binding,
  who: { readonly issuer: Issuer; readonly x5t: string },
): LoadAgent {
  const [agent] = callers(binding, who, { count: 1, claimsOf: () => ({ groups: ['nobody'] }) })
  if (agent === undefined) throw new Error('no outsider was made')
  return agent
}

/** What a row is called with when nobody has to say who calls. */
export function anonymousPlan(
  access: Access,
  port: number,
): Omit<LoadPlan, 'connections' | 'idleConnections'> {
  return { ...CALLS[access], headers: HEADERS, agents: [], tls: undefined, port }
}

/** A bearer token, as the peers take it. */
export function bearerPlan(
  { issuer }: Pick<World, 'issuer'>,
  port: number,
): Omit<LoadPlan, 'connections' | 'idleConnections'> {
  return { ...anonymousPlan('read', port), agents: callers('none', { issuer, x5t: '' }) }
}
