import type { Approval, ApprovalId } from '../../approvals/approval.ts'
import type { ChannelStore } from '../../store/channel-store.ts'
import { isApprovalNews } from '../approval-news.ts'
import type { ApprovalNews } from '../event.ts'
import { DeliveryError, type NotifyTarget } from '../target.ts'
import { approvalMessage } from './approval-message.ts'
import { nameIn } from './mrkdwn.ts'
import { newsMessage } from './news-message.ts'
import { messagesOf, rememberMessage } from './posted-messages.ts'
import type { SlackApi } from './slack-api.ts'

export interface SlackTargetOptions {
  readonly api: SlackApi
  /** Id of the channel. */
  readonly channel: string
  readonly store: ChannelStore
  /** How an approval stands by now; nothing for one that nobody knows. */
  readonly lookup: (id: ApprovalId) => Promise<Approval | undefined>
}

/**
 * Tells one channel of Slack. An approval has one message there, which always says how it stands by now, whichever gateway
 * and whichever event brings it up to date; so it does not matter in which order events arrive, or how often.
 */
export function createSlackTarget(options: SlackTargetOptions): NotifyTarget {
  const { api, channel } = options
  return {
    deliver: async (event, signal) => {
      if (isApprovalNews(event)) return tellOfApproval(event, options, signal)
      await api.call('chat.postMessage', parametersOf(channel, newsMessage(event)), signal)
    },
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  }
}

async function tellOfApproval(
  event: ApprovalNews,
  options: SlackTargetOptions,
  signal: AbortSignal,
): Promise<void> {
  const { api, channel, store, lookup } = options
  const { id } = event.approval
  const approval = (await lookup(id).catch(() => undefined)) ?? event.approval
  const posted = (await messagesOf(store, id)).filter((message) => message.channel === channel)
  if (posted.length === 0) {
    // What is over and was never asked here needs nobody's attention any more.
    if (approval.state === 'pending') await postApproval(approval, options, signal)
    return
  }
  const isCall = event.type.endsWith('.escalated') && approval.state === 'pending'
  for (const { ts } of posted) {
    await api.call('chat.update', { ...parametersOf(channel, approvalMessage(approval)), ts }, signal)
    if (!isCall) continue
    // A message that changes calls nobody; an answer to it does.
    const text = `Nobody has answered: now ${nameIn(approval.terms.escalationGroup)} can, too.`
    await api.call(
      'chat.postMessage',
      { ...parametersOf(channel, { text }), thread_ts: ts, reply_broadcast: true },
      signal,
    )
  }
}

async function postApproval(
  approval: Approval,
  { api, channel, store, lookup }: SlackTargetOptions,
  signal: AbortSignal,
): Promise<void> {
  const answer = await api.call('chat.postMessage', parametersOf(channel, approvalMessage(approval)), signal)
  const { ts } = answer
  if (typeof ts !== 'string') throw new DeliveryError('was answered without the time of the message', 'never')
  await rememberMessage(store, approval, { channel, ts })
  // Somebody may have answered through another channel before anybody could know of this message.
  const now = await lookup(approval.id).catch(() => undefined)
  if (now === undefined || (now.state === approval.state && now.votes.length === approval.votes.length))
    return
  await api.call('chat.update', { ...parametersOf(channel, approvalMessage(now)), ts }, signal)
}

function parametersOf(channel: string, message: object): Readonly<Record<string, unknown>> {
  return { channel, ...message, unfurl_links: false, unfurl_media: false }
}
