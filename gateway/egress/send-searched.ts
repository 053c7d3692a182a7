import type { Detectors } from '../detectors/detectors.ts'
import type { Findings } from '../detectors/findings.ts'
import type { ReplySearch } from '../detectors/reply-search.ts'
import type { RelayPlan } from './relay-plan.ts'
import type { SentBody } from './send-body.ts'
import type { UpstreamBody } from './upstream.ts'

export type Through = RelayPlan['through']

/** How an answer left, and what was found in it; nothing is known of one that nobody looks through. */
interface SearchedBody {
  readonly sent: SentBody
  readonly findings: Findings | undefined
}

/**
 * Sends the answer and looks for findings in it: as the caller gets it, and without holding a byte back. A promise only
 * where the answer comes in pieces, or has to be unpacked.
 */
export function sendSearched(
  detectors: Pick<Detectors, 'reply'>,
  body: UpstreamBody,
  { received, whole, through }: RelayPlan,
  send: (through: Through) => SentBody | Promise<SentBody>,
): SearchedBody | Promise<SearchedBody> {
  const search = detectors.reply(received)
  const sending = sendOrAbort(body, () => send(search ? (sink) => search.through(through(sink)) : through))
  if (sending instanceof Promise) return sending.then((sent) => searched(sent, search))
  if (whole !== undefined) search?.take(whole)
  return searched(sending, search)
}

function sendOrAbort<Sent>(body: UpstreamBody, send: () => Sent): Sent {
  try {
    return send()
  } catch (cause) {
    body.abort()
    throw cause
  }
}

function searched(sent: SentBody, search: ReplySearch | undefined): SearchedBody | Promise<SearchedBody> {
  const findings = search?.findings()
  return findings instanceof Promise
    ? findings.then((late) => ({ sent, findings: late }))
    : { sent, findings }
}
