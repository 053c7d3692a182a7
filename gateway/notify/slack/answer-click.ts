import type { Approval } from '../../approvals/approval.ts'
import type { ApprovalService } from '../../approvals/approval-service.ts'
import type { VoteAnswer } from '../../approvals/vote.ts'
import type { SlackAppConfig } from '../../config/notify-config.ts'
import { assertNever } from '../../lib/assert-never.ts'
import type { ChannelStore } from '../../store/channel-store.ts'
import { isShownWhole } from './approval-message.ts'
import { messagesOf } from './posted-messages.ts'
import type { SlackClick } from './read-message.ts'
import { personOf } from './slack-people.ts'

export interface AnswerClickOptions {
  readonly approvals: Pick<ApprovalService, 'lookup' | 'vote'>
  readonly store: ChannelStore
  readonly app: Pick<SlackAppConfig, 'people'>
}

/** What became of a click. */
export interface ClickAnswer {
  readonly result:
    'counted' | 'repeated' | 'not_entitled' | 'excluded' | 'stale_view' | 'final' | 'unknown_approval'
  /** For whoever clicked alone; empty where the message itself says it. */
  readonly text: string
}

/** Whoever clicks on something else than what this gateway posted was shown something else than what will be sent. */
const NOTHING_SHOWN = ''

/**
 * Casts the vote that a click is. Everything that speaks against it goes through the same machine as a vote from anywhere, so
 * that it is refused in the same way and on the same record.
 *
 * @throws ApprovalsUnavailable
 */
export async function answerClick(click: SlackClick, options: AnswerClickOptions): Promise<ClickAnswer> {
  const { approvals, app } = options
  const { person, isKnown } = personOf(click, app)
  const unseen = await whatIsUnseen(click, options)
  const answer = await approvals.vote(click.approval, {
    person,
    verdict: click.verdict,
    viewDigest: unseen === undefined ? click.viewDigest : NOTHING_SHOWN,
    comment: '',
  })
  if (answer === undefined)
    return { result: 'unknown_approval', text: 'This approval is not known any more.' }
  if (answer.kind === 'refused' && answer.why === 'not_entitled' && !isKnown)
    return { result: 'not_entitled', text: strangerText(click) }
  return said(answer, unseen)
}

/** Why who clicked has not seen all of what will be sent. */
async function whatIsUnseen(
  { approval: id, channel, messageTs, verdict }: SlackClick,
  { approvals, store }: AnswerClickOptions,
): Promise<string | undefined> {
  const posted = await messagesOf(store, id)
  // The same bot may post for others, and what looks like a request of ours may say something else.
  if (!posted.some((message) => message.channel === channel && message.ts === messageTs))
    return 'That message is none of Toolgate’s requests, so it does not count.'
  if (verdict === 'deny') return undefined
  const approval = await approvals.lookup(id)
  if (approval === undefined || isShownWhole(approval)) return undefined
  return `The message does not hold all of what will be sent: see \`toolgate approvals show ${id}\`.`
}

function said(answer: VoteAnswer, unseen: string | undefined): ClickAnswer {
  switch (answer.kind) {
    case 'counted':
      return { result: 'counted', text: '' }
    case 'repeated':
      return { result: 'repeated', text: 'You have said so already.' }
    case 'refused':
      return { result: answer.why, text: refusalText(answer.why, answer.approval, unseen) }
    default:
      return assertNever(answer)
  }
}

function refusalText(
  why: Extract<VoteAnswer, { kind: 'refused' }>['why'],
  { state }: Approval,
  unseen: string | undefined,
): string {
  switch (why) {
    case 'not_entitled':
      return 'You are in none of the groups that are asked, so your answer does not count. It is on record.'
    case 'excluded':
      return 'It is your own call, or one made in your name: somebody else has to decide.'
    case 'stale_view':
      return unseen ?? 'What the message shows is not what would be sent, so your answer does not count.'
    case 'final':
      return `Too late: it is ${state} already.`
    default:
      return assertNever(why)
  }
}

function strangerText({ userId }: SlackClick): string {
  return `Toolgate does not know you (\`${userId}\`), so your answer does not count. It is on record.`
}
