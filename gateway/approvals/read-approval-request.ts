import { isUuid } from '../lib/uuid.ts'
import { APPROVAL_STATES, type ApprovalId, type ApprovalState } from './approval.ts'

const DIGEST = /^[0-9a-f]{64}$/
const MOST_LISTED = 200
const COMMENT_CHARACTERS = 1_024

export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string }

export interface AskedList {
  readonly states: readonly ApprovalState[]
  readonly limit: number
}

export interface AskedVote {
  readonly verdict: 'approve' | 'deny'
  readonly viewDigest: string
  readonly comment: string
}

export function readApprovalId(untrusted: string | undefined): ApprovalId | undefined {
  return untrusted !== undefined && isUuid(untrusted) ? (untrusted as ApprovalId) : undefined
}

/** `state` as often as there are states to list, pending ones where there is none; and `limit`. */
export function readList(untrustedQuery: string): Parsed<AskedList> {
  const query = new URLSearchParams(untrustedQuery)
  const unknown = [...query.keys()].find((name) => name !== 'state' && name !== 'limit')
  if (unknown !== undefined) return bad('only state and limit can be asked for')
  const untrustedStates = query.getAll('state')
  const states = APPROVAL_STATES.filter((state) => untrustedStates.includes(state))
  if (states.length !== new Set(untrustedStates).size)
    return bad(`state has to be one of ${APPROVAL_STATES.join(', ')}`)
  const untrustedLimit = query.get('limit') ?? '50'
  const limit = /^[1-9]\d{0,2}$/.test(untrustedLimit) ? Number(untrustedLimit) : Infinity
  if (limit > MOST_LISTED) return bad(`limit has to be a number from 1 to ${MOST_LISTED}`)
  return { ok: true, value: { states: states.length === 0 ? ['pending'] : states, limit } }
}

export function readVote(untrustedBody: unknown): Parsed<AskedVote> {
  const body = membersOf(untrustedBody, ['verdict', 'viewDigest', 'comment'])
  if (body === undefined) return bad('a vote is an object of verdict, viewDigest and comment')
  const { verdict, viewDigest, comment = '' } = body
  if (verdict !== 'approve' && verdict !== 'deny') return bad('verdict has to be approve or deny')
  if (typeof viewDigest !== 'string' || !DIGEST.test(viewDigest))
    return bad('viewDigest has to be the digest of what was shown, 64 hexadecimal digits')
  if (!isComment(comment)) return bad(`comment has to be text of at most ${COMMENT_CHARACTERS} characters`)
  return { ok: true, value: { verdict, viewDigest, comment } }
}

/** Why it is taken back; nothing has to be said. */
export function readRevocation(untrustedBody: unknown): Parsed<string> {
  const body = membersOf(untrustedBody ?? {}, ['reason'])
  if (body === undefined) return bad('a revocation is an object of reason')
  const { reason = '' } = body
  if (!isComment(reason)) return bad(`reason has to be text of at most ${COMMENT_CHARACTERS} characters`)
  return { ok: true, value: reason }
}

/** Nothing for what is no object, or has a member that means nothing here. */
function membersOf(
  untrusted: unknown,
  names: readonly string[],
): Readonly<Record<string, unknown>> | undefined {
  if (typeof untrusted !== 'object' || untrusted === null || Array.isArray(untrusted)) return undefined
  const members: Readonly<Record<string, unknown>> = { ...untrusted }
  return Object.keys(members).every((name) => names.includes(name)) ? members : undefined
}

function isComment(untrusted: unknown): untrusted is string {
  return typeof untrusted === 'string' && untrusted.length <= COMMENT_CHARACTERS
}

function bad<T>(reason: string): Parsed<T> {
  return { ok: false, reason }
}
