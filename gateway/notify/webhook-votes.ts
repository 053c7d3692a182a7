import type { ApprovalId } from '../approvals/approval.ts'
import type { ApprovalService } from '../approvals/approval-service.ts'
import type { Ballot, VoteAnswer, VoteRefusal } from '../approvals/vote.ts'
import type { VoteSenderConfig } from '../config/notify-config.ts'
import type { Person } from '../control/actor.ts'
import type { ChannelAnswer, ChannelRequest, ChannelRoute } from '../control/control.ts'
import type { Clock } from '../lib/clock.ts'
import { isUuid } from '../lib/uuid.ts'
import { HeaderList } from '../lib/header-list.ts'
import { scrub } from '../lib/scrub.ts'
import { isSigned, type SignedMessage } from '../lib/standard-webhook.ts'
import { parseStrictJson } from '../lib/strict-json.ts'
import type { ChannelStore } from '../store/channel-store.ts'
import {
  channelAnswer,
  type ChannelRefusal,
  type ChannelResult,
  problemAnswer,
  refusalAnswer,
} from './channel.ts'

/** A sender as it is configured now. */
export interface VoteSender {
  readonly name: string
  /** Each is asked for at every message, so that it can rotate. */
  readonly signingSecrets: readonly (() => string)[]
  readonly people: VoteSenderConfig['people']
}

export interface WebhookVotesOptions {
  readonly senders: () => readonly VoteSender[]
  readonly approvals: Pick<ApprovalService, 'vote'>
  readonly store: ChannelStore
  readonly clock: Pick<Clock, 'nowMs'>
  /** What became of a message; `sender` is empty where no signature vouches for one. */
  readonly onResult: (result: ChannelResult, sender: string) => void
  readonly onFailure: (cause: unknown) => void
}

const MAX_AGE_MS = 5 * 60_000
/** How far the sender's clock may be ahead of ours. */
const MAX_SKEW_MS = 60_000
const MEMBERS: ReadonlySet<string> = new Set(['approval', 'comment', 'person', 'verdict', 'view_digest'])
const DIGEST = /^[0-9a-f]{64}$/
const COMMENT_LIMIT = 1_024

interface WantedVote extends Omit<Ballot, 'person'> {
  readonly approval: ApprovalId
  /** As the sender calls them. */
  readonly untrustedPerson: string
}

/** `webhook/votes` takes what people answered elsewhere, signed by a service that knows who they are. */
export function webhookVotesRoute(options: WebhookVotesOptions): ChannelRoute {
  return { path: 'webhook/votes', answer: (request) => answerVote(request, options) }
}

async function answerVote(request: ChannelRequest, options: WebhookVotesOptions): Promise<ChannelAnswer> {
  const { approvals, store, onResult, onFailure } = options
  const refuse = (why: ChannelRefusal, sender = ''): ChannelAnswer => {
    onResult(why, sender)
    return refusalAnswer(why)
  }
  if (options.senders().length === 0) return refusalAnswer('unconfigured')
  const verified = verify(request, options)
  if ('fault' in verified) return refuse(verified.fault)
  const { sender, message } = verified
  const wanted = readVote(message.body)
  if (wanted === undefined) return refuse('unreadable', sender.name)
  const { approval, untrustedPerson, ...said } = wanted
  const person = personOf(untrustedPerson, sender)
  const claim = `webhook:${sender.name}:${message.id}`
  try {
    if (!(await store.claim(claim, MAX_AGE_MS + 2 * MAX_SKEW_MS))) return refuse('replayed', sender.name)
    const answer = await approvals.vote(approval, { ...said, person })
    return voteAnswer(answer, (result) => onResult(result, person.id))
  } catch (cause) {
    onFailure(cause)
    // A sender tries again under the same id; a vote that was counted after all is then one that was given before.
    await store.release(claim).catch(onFailure)
    return refuse('unavailable', sender.name)
  }
}

/** A message that one of the senders has signed, and lately. Of a forged one nothing else is said. */
function verify(
  { untrustedHeaders, untrustedBodyBase64 }: ChannelRequest,
  { senders, clock }: WebhookVotesOptions,
): { readonly fault: ChannelRefusal } | { readonly sender: VoteSender; readonly message: SignedMessage } {
  const headers = new HeaderList(untrustedHeaders)
  const id = headers.get('webhook-id') ?? ''
  const timestamp = headers.get('webhook-timestamp') ?? ''
  const signatures = headers.get('webhook-signature')
  if (!/^[!-~]{1,256}$/.test(id) || !/^[1-9]\d{0,11}$/.test(timestamp) || signatures === undefined)
    return { fault: 'unsigned' }
  const message = { id, timestamp: Number(timestamp), body: Buffer.from(untrustedBodyBase64, 'base64') }
  const sender = senders().find(({ signingSecrets }) =>
    isSigned(
      message,
      signatures,
      signingSecrets.map((secret) => secret()),
    ),
  )
  if (sender === undefined) return { fault: 'forged' }
  const ageMs = clock.nowMs() - message.timestamp * 1_000
  if (ageMs > MAX_AGE_MS) return { fault: 'stale' }
  return ageMs < -MAX_SKEW_MS ? { fault: 'future' } : { sender, message }
}

/** `undefined` for what is no vote, or says more than one, as it may have meant more. */
function readVote(body: Uint8Array): WantedVote | undefined {
  const reading = parseStrictJson(body, 2)
  if (!reading.ok || typeof reading.value !== 'object' || reading.value === null) return undefined
  const given = reading.value as Readonly<Record<string, unknown>>
  if (!Object.keys(given).every((name) => MEMBERS.has(name))) return undefined
  const { approval, person, verdict, view_digest: viewDigest, comment = '' } = given
  if (typeof approval !== 'string' || !isUuid(approval)) return undefined
  if (typeof viewDigest !== 'string' || !DIGEST.test(viewDigest)) return undefined
  if (verdict !== 'approve' && verdict !== 'deny') return undefined
  if (typeof person !== 'string' || person === '' || person.length > 256) return undefined
  if (typeof comment !== 'string') return undefined
  return {
    approval: approval as ApprovalId,
    untrustedPerson: person,
    verdict,
    viewDigest,
    comment: scrub(comment, COMMENT_LIMIT),
  }
}

/** Whom the configuration does not name is somebody who may decide nothing, and on record. */
function personOf(untrustedPerson: string, { name, people }: VoteSender): Person {
  const known = Object.hasOwn(people, untrustedPerson) ? people[untrustedPerson] : undefined
  const issuer = `webhook:${name}`
  return {
    id: known?.person ?? `${issuer}:${untrustedPerson}`,
    issuer,
    groups: known?.groups ?? [],
    channel: 'webhook',
    authentication: 'webhook',
  }
}

const REFUSALS = {
  not_entitled: [403, 'They may not answer this'],
  excluded: [403, 'They may not answer this'],
  stale_view: [409, 'Not what they saw'],
  final: [409, 'It is over already'],
} as const satisfies Readonly<Record<VoteRefusal, readonly [status: number, title: string]>>

function voteAnswer(
  answer: VoteAnswer | undefined,
  onResult: (result: ChannelResult) => void,
): ChannelAnswer {
  if (answer === undefined) {
    onResult('unknown_approval')
    return problemAnswer(404, 'No such approval', { code: 'approval.unknown' })
  }
  onResult(answer.kind === 'refused' ? answer.why : answer.kind)
  const { id, state, subject } = answer.approval
  const body = { approval: id, state, view_digest: subject.viewDigest }
  if (answer.kind !== 'refused') return channelAnswer(200, { ...body, result: answer.kind })
  const [status, title] = REFUSALS[answer.why]
  return problemAnswer(status, title, { ...body, code: `approval.${answer.why}` })
}
