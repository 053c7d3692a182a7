import type { Detectors } from '../detectors/detectors.ts'
import type { RelayPlan } from './relay-plan.ts'
import type { SentBody } from './send-body.ts'
import type { UpstreamReply } from './upstream.ts'

export type Through = RelayPlan['through']

/** Sends the answer and looks for findings in it: as the caller gets it, and without holding a byte back. */
export async function sendSearched(
  detectors: Pick<Detectors, 'reply'>,
  { headers, body }: UpstreamReply,
  { whole, through }: RelayPlan,
  send: (through: Through) => SentBody | Promise<SentBody>,
) {
  const search = detectors.reply(headers)
  let sent: SentBody
  try {
    sent = await send(search ? (sink) => search.through(through(sink)) : through)
  } catch (cause) {
    body.abort()
    throw cause
  }
  if (whole !== undefined) search?.take(whole)
  return { sent, findings: await search?.findings() }
}
