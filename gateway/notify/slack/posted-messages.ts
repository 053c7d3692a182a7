import type { Approval, ApprovalId } from '../../approvals/approval.ts'
import type { ChannelStore } from '../../store/channel-store.ts'

/** Where a message stands in Slack. */
export interface PostedMessage {
  readonly channel: string
  /** Its time, which is its name within the channel. */
  readonly ts: string
}

/** Longer than anybody could still want to know how it ended. */
const KEPT_MS = 7 * 86_400_000

export function rememberMessage(
  store: ChannelStore,
  { id, terms, createdAtMs }: Approval,
  { channel, ts }: PostedMessage,
): Promise<void> {
  const lifetimeMs = terms.expiresAtMs - createdAtMs + terms.useWithinMs + KEPT_MS
  return store.remember(keyOf(id), `${channel} ${ts}`, lifetimeMs)
}

/** The messages of this gateway's own app about an approval; what else looks like one is not. */
export async function messagesOf(store: ChannelStore, id: ApprovalId): Promise<readonly PostedMessage[]> {
  const remembered = await store.recall(keyOf(id))
  return remembered.map((text) => {
    const [channel = '', ts = ''] = text.split(' ')
    return { channel, ts }
  })
}

function keyOf(id: ApprovalId): string {
  return `slack:approval:${id}`
}
