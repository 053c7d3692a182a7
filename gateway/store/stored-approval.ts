import type { Approval } from '../approvals/approval.ts'

/** Raised whenever an earlier gateway would misread what a later one writes. */
const VERSION = 1

const MEMBERS = [
  'id',
  'kind',
  'subject',
  'terms',
  'state',
  'votes',
  'escalated',
  'createdAtMs',
  'resolvedAtMs',
  'consumedBy',
  'revokedBy',
  'revocationReason',
] as const satisfies readonly (keyof Approval)[]

export function encodeApproval(approval: Approval): string {
  return JSON.stringify({ v: VERSION, ...approval })
}

/** @throws {TypeError} for what no gateway of this version wrote: an approval that is half understood is none */
export function decodeApproval(text: unknown): Approval {
  if (typeof text === 'string') {
    const { v, ...rest } = objectOf(JSON.parse(text))
    if (v === VERSION && isApproval(rest)) return rest
  }
  throw new TypeError('the store holds an approval that this version of the gateway did not write')
}

function objectOf(parsed: unknown): Record<string, unknown> {
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {}
}

/** The store is our own, so that the version and the members tell the shape. */
function isApproval(rest: Record<string, unknown> | Approval): rest is Approval {
  return MEMBERS.every((name) => name in rest)
}
