import type { ApprovalEvent } from '../approvals/approval-event.ts'
import { printable, scrub } from '../lib/scrub.ts'
import { detailField } from './call-fields.ts'
import { isoTime } from '../lib/iso-time.ts'
import type { ApprovalEntry } from './change-entry.ts'
import type { ActorFields } from './entry-fields.ts'
import type { KeyedTokens } from './keyed-tokens.ts'
import { actorFields } from './lock-entry.ts'

const GROUPS_LIMIT = 16
const COMMENT_LIMIT = 1_024

/** What happened to an approval, as the record keeps it; who answered what to which view is all there. */
export function approvalEntry(
  event: ApprovalEvent,
  tokens: Pick<KeyedTokens, 'commitmentTo'>,
  nowMs: number,
): ApprovalEntry {
  const { approval, kind } = event
  const { subject, terms, consumedBy } = approval
  return {
    agent: name(subject.agent.id),
    approval: approval.id,
    ...byWhom(event),
    call: kind === 'consumed' && consumedBy !== '' ? consumedBy : subject.callId,
    ...said(event, tokens),
    groups: terms.groups.slice(0, GROUPS_LIMIT).map(name),
    kind: approval.kind,
    needed: terms.count,
    operation: name(subject.operation),
    principal: name(subject.principal),
    risk: subject.risk,
    shown: tokens.commitmentTo(subject.viewDigest),
    state: kind,
    task: name(subject.task),
    tenant: name(subject.tenant),
    time: isoTime(nowMs),
    type: 'approval',
    v: 1,
    ...verdictOf(event),
  }
}

function byWhom(event: ApprovalEvent): { readonly by?: ActorFields } {
  switch (event.kind) {
    case 'voted':
      return { by: actorFields({ kind: 'person', person: event.vote.person }) }
    case 'vote_refused':
      return { by: actorFields({ kind: 'person', person: event.ballot.person }) }
    case 'revoked':
      return event.by === undefined ? {} : { by: actorFields(event.by) }
    default:
      return {}
  }
}

function said(
  event: ApprovalEvent,
  tokens: Pick<KeyedTokens, 'commitmentTo'>,
): { readonly comment?: string; readonly detail?: string; readonly saw?: string } {
  switch (event.kind) {
    case 'voted':
      return { comment: scrub(event.vote.comment, COMMENT_LIMIT) }
    case 'vote_refused':
      return {
        comment: scrub(event.ballot.comment, COMMENT_LIMIT),
        detail: event.why,
        saw: tokens.commitmentTo(event.ballot.viewDigest),
      }
    case 'revoked': {
      const { revokedBy, revocationReason } = event.approval
      return { comment: scrub(revocationReason, COMMENT_LIMIT), detail: detailField(revokedBy) }
    }
    default:
      return {}
  }
}

function verdictOf(event: ApprovalEvent): { readonly verdict?: 'approve' | 'deny' } {
  if (event.kind === 'voted') return { verdict: event.vote.verdict }
  return event.kind === 'vote_refused' ? { verdict: event.ballot.verdict } : {}
}

function name(text: string): string {
  return printable(text, 256)
}
