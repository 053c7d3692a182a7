import { createAdminClient, type AdminClient } from '../cli/admin-client.ts'
import { readApproval } from '../cli/approvals/read-approval.ts'
import { RefusedError, type Surroundings } from '../cli/command.ts'
import type { RefusalCode } from '../refusal.ts'
import { requestPersonToken } from './token-source.ts'
import { rowOf, type TourRow } from './tour-row.ts'
import type { TourContext } from './tour-steps.ts'
import { readVerdict, type CallVerdict } from './verdict.ts'

const COMMENTS = '/github/repos/zyx/platform-infra/issues/991/comments'
const AGENT = 'release-agent'
const TEXT = 'Released with CHG-18422'
const OTHER_TEXT = 'Released without anybody looking'

/** An admin listener that takes the tokens of the development issuer's people. */
export interface TourPeople {
  readonly admin: string
  readonly issuer: string
  readonly surroundings: Surroundings
}

/** A call that is held, answered by people, made once, and never again. */
export async function runApproval(context: TourContext, people: TourPeople): Promise<readonly TourRow[]> {
  const held = await comment(context, TEXT)
  const id = approvalIn(held)
  const rows = [
    rowOf('a comment of the release agent', held, id === undefined ? 'should have been held for people' : ''),
  ]
  if (id === undefined) return rows
  const path = `approvals/${id}`
  rows.push(await excluded(await clientOf('rui', people), path))
  rows.push(
    refused('another text under its approval', await comment(context, OTHER_TEXT, id), 'approval.mismatch'),
  )
  rows.push(await approved(path, people))
  const made = await comment(context, TEXT, id)
  const isMade = made.decision === 'allow' && !made.upstreamError
  rows.push(rowOf('the same comment again', made, isMade ? '' : 'should have been made'))
  rows.push(refused('and once more', await comment(context, TEXT, id), 'approval.used'))
  return rows
}

async function comment({ gateway, as }: TourContext, text: string, approval?: string): Promise<CallVerdict> {
  const caller = await as(AGENT)
  const reply = await caller.fetch(new URL(COMMENTS, gateway), {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json; charset=utf-8',
      'Toolgate-Ticket': 'CHG-18422',
      'Toolgate-Rollback-Plan': 'Delete the comment',
      ...(approval === undefined ? {} : { 'Toolgate-Approval': approval }),
    },
    body: JSON.stringify({ body: text }),
  })
  return readVerdict(reply)
}

/** Id of the approval that a held call waits for. */
function approvalIn({ decision, code, body }: CallVerdict): string | undefined {
  if (decision !== 'hold' || code !== 'approval.required') return undefined
  const { approval } = JSON.parse(body.toString()) as { readonly approval?: { readonly id?: unknown } }
  return typeof approval?.id === 'string' ? approval.id : undefined
}

async function clientOf(person: string, { admin, issuer, surroundings }: TourPeople): Promise<AdminClient> {
  const token = await requestPersonToken(issuer, person)
  return createAdminClient({ admin }, { ...surroundings, environment: { TOOLGATE_ADMIN_TOKEN: token } })
}

/** Looks, and says yes to what is shown; answers the state that it leads to. */
async function approve(client: AdminClient, path: string): Promise<string> {
  const { viewDigest } = readApproval(await client.get(path))
  return readApproval(await client.post(`${path}/votes`, { verdict: 'approve', viewDigest })).state
}

async function excluded(client: AdminClient, path: string): Promise<TourRow> {
  const tried = 'Rui approves what is done in his name'
  const error: unknown = await approve(client, path).catch((cause: unknown) => cause)
  const { code, status } = (error instanceof RefusedError ? error.untrustedProblem : {}) as {
    readonly code?: unknown
    readonly status?: unknown
  }
  const reason = typeof code === 'string' ? code : ''
  const difference = reason === 'approval.excluded' ? '' : 'should have been approval.excluded'
  return {
    tried,
    decision: 'deny',
    status: typeof status === 'number' ? status : 0,
    reason,
    callId: '',
    difference,
  }
}

/** One person, and another where the risk asks for two. */
async function approved(path: string, people: TourPeople): Promise<TourRow> {
  const first = await approve(await clientOf('priya', people), path)
  const state = first === 'pending' ? await approve(await clientOf('noor', people), path) : first
  const tried = first === 'pending' ? 'Priya approves it, and Noor' : 'Priya approves it'
  const difference = state === 'approved' ? '' : 'should have been approved'
  return { tried, decision: 'allow', status: 200, reason: state, callId: '', difference }
}

function refused(tried: string, verdict: CallVerdict, code: RefusalCode): TourRow {
  const isRefused = verdict.decision === 'deny' && verdict.code === code
  return rowOf(tried, verdict, isRefused ? '' : `should have been ${code}`)
}
