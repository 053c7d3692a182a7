import type { Approval, Vote } from '../../approvals/approval.ts'
import { peopleFor } from '../../approvals/people.ts'
import { assertNever } from '../../lib/assert-never.ts'
import { REASONS } from '../../policy/reasons.ts'
import { freeIn, nameIn, section, timeIn } from './mrkdwn.ts'
import { viewSections } from './view-sections.ts'

/** What `chat.postMessage` and `chat.update` take. */
export interface SlackMessage {
  /** For notifications, and for readers of screens. */
  readonly text: string
  readonly blocks: readonly object[]
}

export const APPROVE_ACTION = 'toolgate_approve'
export const DENY_ACTION = 'toolgate_deny'

const REASONS_LIMIT = 16
const VOTES_LIMIT = 16

/**
 * An approval as it stands. Who sees only a part of what will be sent can say no, and is told where to see the rest and to
 * say yes.
 */
export function approvalMessage(approval: Approval): SlackMessage {
  const { subject, terms } = approval
  const title = titleOf(approval)
  const view = viewSections(subject.view)
  const who = `${nameIn(subject.agent.id)} for ${nameIn(subject.principal)} of tenant ${nameIn(subject.tenant)}`
  const task = subject.task === '' ? '' : `, task ${nameIn(subject.task)}`
  const escalation = approval.escalated ? `, ${nameIn(terms.escalationGroup)}` : ''
  return {
    text: `${title}: ${nameIn(subject.operation)} by ${nameIn(subject.agent.id)}`,
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: title, emoji: false } },
      section(`*${nameIn(subject.operation)}*\n${who}${task}`),
      ...(subject.reasons.length === 0 ? [] : [section(reasonsText(approval))]),
      ...view.sections,
      ...(view.isWhole ? [] : [section(truncation(approval, view.shownCharacters))]),
      context([
        `asked of ${terms.groups.map(nameIn).join(', ')}${escalation}; ${String(terms.count)} needed`,
        approval.state === 'pending' ? `until ${timeIn(terms.expiresAtMs)}` : '',
        `approval \`${approval.id}\``,
        `digest of what is shown \`${subject.viewDigest}\``,
      ]),
      ...(approval.votes.length === 0 ? [] : [section(votesText(approval.votes))]),
      ...(approval.state === 'revoked' ? [section(revocationText(approval))] : []),
      ...buttons(approval, view.isWhole),
    ],
  }
}

/** Whether somebody who was shown only the message has seen all that will be sent. */
export function isShownWhole({ subject }: Approval): boolean {
  return viewSections(subject.view).isWhole
}

function titleOf(approval: Approval): string {
  const { kind, state, subject, terms, votes } = approval
  const noun = kind === 'review' ? 'Review' : 'Approval'
  const risk = `risk ${String(subject.risk)} of 10`
  switch (state) {
    case 'pending': {
      const given = peopleFor(votes).length
      return `${noun} needed${given === 0 ? '' : ` (${String(given)} of ${String(terms.count)})`}, ${risk}`
    }
    case 'approved':
      return `Approved, ${risk}`
    case 'denied':
      return `${kind === 'review' ? 'Rejected' : 'Denied'}, ${risk}`
    case 'expired':
      return `Expired, ${risk}`
    case 'revoked':
      return `Revoked, ${risk}`
    case 'consumed':
      return `Approved and used, ${risk}`
    default:
      return assertNever(state)
  }
}

function reasonsText({ subject }: Approval): string {
  return subject.reasons
    .slice(0, REASONS_LIMIT)
    .map(({ code, rule }) => `• ${nameIn(rule)} ${REASONS[code]}`)
    .join('\n')
}

function truncation({ id, subject }: Approval, shownCharacters: number): string {
  const all = subject.view.length.toLocaleString('en-US')
  return (
    `:warning: *Only the first ${shownCharacters.toLocaleString('en-US')} of ${all} characters are shown.* ` +
    `Whoever wants to say yes sees all of it with \`toolgate approvals show ${id}\`, and says so there.`
  )
}

function votesText(votes: readonly Vote[]): string {
  return votes
    .slice(-VOTES_LIMIT)
    .map(({ person, verdict, atMs, comment }) => {
      const said = verdict === 'approve' ? 'said yes' : 'said no'
      return `${nameIn(person.id)} ${said}, ${timeIn(atMs)}${comment === '' ? '' : `: ${freeIn(comment)}`}`
    })
    .join('\n')
}

function revocationText({ revokedBy, revocationReason }: Approval): string {
  return `Taken back by ${nameIn(revokedBy)}: ${freeIn(revocationReason)}`
}

function context(parts: readonly string[]): object {
  return {
    type: 'context',
    elements: parts
      .filter((part) => part !== '')
      .map((text) => ({ type: 'mrkdwn', text: text.slice(0, 2_000), verbatim: true })),
  }
}

/** None when nothing can be said any more; after enough people said yes, a no still ends it. */
function buttons(approval: Approval, isWhole: boolean): readonly object[] {
  const { id, kind, state, subject } = approval
  const isOpen = state === 'pending' || (state === 'approved' && kind === 'approval')
  if (!isOpen) return []
  const value = `${id} ${subject.viewDigest}`
  const [yes, no] = kind === 'review' ? ['Accept', 'Reject'] : ['Approve', 'Deny']
  const button = (action: string, text: string, style: 'primary' | 'danger') => ({
    type: 'button',
    action_id: action,
    text: { type: 'plain_text', text, emoji: false },
    style,
    value,
  })
  return [
    {
      type: 'actions',
      block_id: `toolgate_${id}`,
      elements: [
        ...(state === 'pending' && isWhole ? [button(APPROVE_ACTION, yes, 'primary')] : []),
        button(DENY_ACTION, no, 'danger'),
      ],
    },
  ]
}
