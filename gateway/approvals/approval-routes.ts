import { type Actor, nameOfActor, type Person } from '../control/actor.ts'
import { controlProblem } from '../control/control-problem.ts'
import type { ControlAnswer, ControlRequest, ControlRoute } from '../control/control.ts'
import { assertNever } from '../lib/assert-never.ts'
import { scrub } from '../lib/scrub.ts'
import type { Approval, ApprovalId } from './approval.ts'
import type { ApprovalService } from './approval-service.ts'
import { ApprovalsUnavailable } from './approvals-unavailable.ts'
import { readApprovalId, readList, readRevocation, readVote } from './read-approval-request.ts'
import { detailsOf, standingOf, summaryOf } from './show-approval.ts'
import type { VoteAnswer } from './vote.ts'

const COMMENT_CHARACTERS = 1_024

/** What people ask of approvals at the admin listener. Anybody who may ask may look; who may answer, the approval says. */
export function approvalRoutes(service: ApprovalService): readonly ControlRoute[] {
  return [
    {
      method: 'GET',
      pattern: 'approvals',
      answer: ({ query }) => available(() => list(service, query)),
    },
    withId('GET', 'approvals/{id}', async (id, { actor }) => {
      const approval = await service.lookup(id)
      return approval && answered(approval, actor)
    }),
    withId('POST', 'approvals/{id}/votes', (id, request) => castVote(service, id, request)),
    withId('DELETE', 'approvals/{id}', (id, request) => takeBack(service, id, request)),
  ]
}

/** `undefined` where nobody knows the approval. */
type Answer = ControlAnswer | undefined

function withId(
  method: ControlRoute['method'],
  pattern: string,
  answer: (id: ApprovalId, request: ControlRequest) => Promise<Answer>,
): ControlRoute {
  return {
    method,
    pattern,
    answer: (request, { id: untrustedId }) => {
      const id = readApprovalId(untrustedId)
      return id === undefined ? unknown() : available(async () => (await answer(id, request)) ?? unknown())
    },
  }
}

async function list(service: ApprovalService, untrustedQuery: string): Promise<ControlAnswer> {
  const asked = readList(untrustedQuery)
  if (!asked.ok) return malformed(asked.reason)
  const { states, limit } = asked.value
  const found = await service.list(states, limit)
  // Time may have changed one that the store still has as it was.
  const approvals = found.filter(({ state }) => states.includes(state)).map(summaryOf)
  return { status: 200, body: { approvals } }
}

async function castVote(service: ApprovalService, id: ApprovalId, request: ControlRequest): Promise<Answer> {
  const asked = readVote(request.body)
  if (!asked.ok) return malformed(asked.reason)
  const { verdict, viewDigest } = asked.value
  const comment = scrub(asked.value.comment, COMMENT_CHARACTERS)
  const answer = await service.vote(id, { person: voterOf(request.actor), verdict, viewDigest, comment })
  return answer && voteAnswer(answer, request.actor)
}

function voteAnswer(answer: VoteAnswer, actor: Actor): ControlAnswer {
  switch (answer.kind) {
    case 'counted':
    case 'repeated':
      return answered(answer.approval, actor)
    case 'refused':
      return voteRefused(answer, actor)
    default:
      return assertNever(answer)
  }
}

function voteRefused(
  { why, approval }: Extract<VoteAnswer, { kind: 'refused' }>,
  actor: Actor,
): ControlAnswer {
  switch (why) {
    case 'not_entitled': {
      const { groups } = approval.terms
      const detail =
        actor.kind === 'person'
          ? `It is for ${groups.join(', ')} to answer.`
          : 'It is for people to answer, and the operators’ token is nobody in particular.'
      return controlProblem(403, 'You may not answer this', { code: 'approval.not_entitled', detail })
    }
    case 'excluded': {
      const detail = 'It is your own call, or one that is made in your name.'
      return controlProblem(403, 'You may not answer this', { code: 'approval.excluded', detail })
    }
    case 'stale_view': {
      const detail = 'You answered to something else than what will be sent. Look again.'
      const { viewDigest } = approval.subject
      return controlProblem(409, 'Not what you saw', { code: 'approval.stale_view', detail, viewDigest })
    }
    case 'final':
      return tooLate(approval)
    default:
      return assertNever(why)
  }
}

async function takeBack(
  service: ApprovalService,
  id: ApprovalId,
  { body, actor }: ControlRequest,
): Promise<Answer> {
  const reason = readRevocation(body)
  if (!reason.ok) return malformed(reason.reason)
  const why = scrub(reason.value, COMMENT_CHARACTERS)
  const answer = await service.revoke(id, { by: nameOfActor(actor), reason: why, actor })
  switch (answer?.kind) {
    case undefined:
      return undefined
    case 'revoked':
    case 'repeated':
      return answered(answer.approval, actor)
    case 'final':
      return tooLate(answer.approval)
    default:
      return assertNever(answer)
  }
}

/** Who holds the shared token is in no group, so that what they try is refused, and on record, like anybody's. */
function voterOf(actor: Actor): Person {
  switch (actor.kind) {
    case 'person':
      return actor.person
    case 'operator':
      return { id: 'operator', issuer: '', groups: [], channel: 'admin', authentication: 'token' }
    case 'gateway':
      return { id: actor.part, issuer: 'gateway', groups: [], channel: 'admin', authentication: 'none' }
    default:
      return assertNever(actor)
  }
}

async function available(answer: () => Promise<ControlAnswer>): Promise<ControlAnswer> {
  try {
    return await answer()
  } catch (cause) {
    if (!(cause instanceof ApprovalsUnavailable)) throw cause
    const detail = 'Nothing is known of whether it was done: look, and try again.'
    const details = { code: 'approval.unavailable', detail }
    return controlProblem(503, 'The store of approvals does not answer', details, { 'Retry-After': '1' })
  }
}

function answered(approval: Approval, actor: Actor): ControlAnswer {
  return { status: 200, body: { approval: detailsOf(approval, standingOf(actor, approval)) } }
}

function tooLate({ state }: Approval): ControlAnswer {
  return controlProblem(409, `It is ${state} already`, { code: 'approval.final', state })
}

function malformed(detail: string): ControlAnswer {
  return controlProblem(400, 'Not understood', { code: 'approval.invalid', detail })
}

function unknown(): ControlAnswer {
  return controlProblem(404, 'No such approval', { code: 'approval.unknown' })
}
