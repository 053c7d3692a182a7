import type { Approval } from '../approvals/approval.ts'
import type { ApprovalService } from '../approvals/approval-service.ts'
import { unavailableOr } from '../approvals/hold.ts'
import { endsAtMs, isOpen } from '../approvals/lifetime.ts'
import { isOwn } from '../approvals/subject.ts'
import { SHOW_APPROVAL } from '../catalog/own-connector.ts'
import { approvalMembers } from '../dialects/problem.ts'
import type { Admitted } from '../exchange.ts'
import { isUuidV7 } from '../lib/uuid.ts'
import type { Reply } from '../listen/reply.ts'
import type { Outcome } from '../outcome.ts'
import { pass, refuse, type Verdict } from '../refusal.ts'

export interface AnswerDependencies {
  readonly service: Pick<ApprovalService, 'lookup' | 'revoke'>
}

/** How soon asking again makes sense. */
const ASK_AGAIN_SECONDS = 5

/**
 * Answers what is addressed to the gateway itself, after every check that a call has to pass but policy: how an approval
 * stands, and that it is withdrawn. Of another agent's approval it says what it says of one that there is not.
 */
export function createAnswer({
  service,
}: AnswerDependencies): (admitted: Admitted, reply: Reply) => Promise<Outcome> {
  const find = async (call: Admitted): Promise<Verdict<Approval>> => {
    const { id = '' } = call.pathParams
    if (!isUuidV7(id)) return refuse('approval.unknown')
    const approval = await service.lookup(id as Approval['id'])
    const isTheirs = approval?.kind === 'approval' && isOwn(approval.subject, call)
    if (!isTheirs) return refuse('approval.unknown')
    if (call.operation === SHOW_APPROVAL) return pass(approval)
    const by = `agent ${call.caller.agent.id}`
    const answer = await service.revoke(approval.id, { by, reason: 'the agent withdrew it' })
    return answer === undefined ? refuse('approval.unknown') : pass(answer.approval)
  }
  return async (call, reply) => {
    const found = await find(call).catch(unavailableOr)
    if (!found.ok) return reply.refuse(found.refusal, call)
    const body = Buffer.from(JSON.stringify(statusOf(found.value, call)))
    const headers = ['Content-Type', 'application/json', 'Cache-Control', 'no-store']
    headers.push('Content-Length', String(body.length))
    if (found.value.state === 'pending') headers.push('Retry-After', String(ASK_AGAIN_SECONDS))
    reply.begin(200, headers, call).end(call.method === 'HEAD' ? undefined : body)
    return answered(body.length)
  }
}

function statusOf(approval: Approval, { target }: Admitted): object {
  const { id, state, subject } = approval
  return {
    ...approvalMembers({ id, state, url: target, endsAtMs: endsAtMs(approval) }),
    operation: subject.operation,
    call_id: subject.callId,
    next: nextOf(approval),
  }
}

/** What the agent should do: ask again later, make the call, or neither. */
function nextOf(approval: Approval): 'wait' | 'send' | 'none' {
  if (!isOpen(approval)) return 'none'
  return approval.state === 'approved' ? 'send' : 'wait'
}

function answered(replyBytes: number): Outcome {
  const nothing = {
    upstreamStatus: 0,
    upstreamMs: 0,
    replyDigest: '',
    reasons: [],
    detail: '',
    cause: undefined,
  }
  return { code: 'answered', status: 200, replyBytes, ...nothing }
}
