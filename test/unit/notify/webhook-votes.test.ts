import { describe, expect, it } from 'vitest'
import { ApprovalService } from '../../../gateway/approvals/approval-service.ts'
import { systemClock } from '../../../gateway/lib/clock.ts'
import { webhookHeaders } from '../../../gateway/lib/standard-webhook.ts'
import type { ChannelResult } from '../../../gateway/notify/channel.ts'
import { webhookVotesRoute } from '../../../gateway/notify/webhook-votes.ts'
import { createEmbeddedChannelStore } from '../../../gateway/store/embedded-channel-store.ts'
import { EVERYBODY_IS_KNOWN } from '../../harness/approval.ts'
import { openEmbeddedApprovals } from '../../harness/embedded-approvals.ts'
import { anApproval } from '../../harness/news.ts'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

interface Message {
  readonly id?: string
  readonly timestamp?: number
  readonly secret?: string
  readonly vote?: Readonly<Record<string, unknown>>
  /** In place of the vote. */
  readonly text?: string
}

/** A service of which people are asked, the votes of one sender, and one approval that waits. */
async function startVotes() {
  await using stack = new AsyncDisposableStack()
  const { store, file } = stack.use(await openEmbeddedApprovals())
  const refused: string[] = []
  const service = new ApprovalService({
    store,
    people: EVERYBODY_IS_KNOWN,
    config: { maxPending: 10, maxPendingPerAgent: 10 },
    newId: () => anApproval().id,
    onFull: () => undefined,
    onEvent: (event) => void (event.kind === 'vote_refused' && refused.push(event.ballot.person.id)),
  })
  const results: ChannelResult[] = []
  let broken = false
  const { answer } = webhookVotesRoute({
    senders: () => [
      {
        name: 'itsm',
        signingSecrets: [() => SECRET],
        people: { 'omar.h': { person: 'omar@zyx.example', groups: ['devsecops-change-review'] } },
      },
    ],
    approvals: {
      vote: (id, ballot) => (broken ? Promise.reject(new Error('away')) : service.vote(id, ballot)),
    },
    store: createEmbeddedChannelStore({ file, clock: systemClock }),
    clock: systemClock,
    onResult: (result) => void results.push(result),
    onFailure: () => undefined,
  })
  const { kind, subject, terms } = anApproval()
  await service.request({
    kind,
    subject,
    demand: { ...terms, escalateAfterMs: 60_000, answerWithinMs: 60_000 },
  })
  const owned = stack.move()
  return {
    results,
    refused,
    break: () => void (broken = true),
    mend: () => void (broken = false),
    approval: () => service.lookup(anApproval().id),
    async post({ id = 'msg_1', timestamp, secret = SECRET, vote = {}, text }: Message = {}) {
      const { subject } = anApproval()
      const said = {
        approval: anApproval().id,
        person: 'omar.h',
        verdict: 'approve',
        view_digest: subject.viewDigest,
        ...vote,
      }
      const body = Buffer.from(text ?? JSON.stringify(said))
      const message = { id, body, timestamp: timestamp ?? Math.floor(Date.now() / 1_000) }
      return answer({
        path: 'webhook/votes',
        untrustedHeaders: Object.entries(webhookHeaders(message, [secret])).flat(),
        untrustedBodyBase64: body.toString('base64'),
      })
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const SECONDS = (): number => Math.floor(Date.now() / 1_000)

describe('a vote by webhook', () => {
  it('counts as that of the person whom the configuration names', async () => {
    await using votes = await startVotes()
    const answer = await votes.post({ vote: { comment: 'ok' } })
    expect(answer).toMatchObject({ status: 200 })
    expect(JSON.parse(answer.body)).toMatchObject({ result: 'counted', state: 'approved' })
    expect(await votes.approval()).toMatchObject({
      votes: [
        { person: { id: 'omar@zyx.example', issuer: 'webhook:itsm', channel: 'webhook' }, comment: 'ok' },
      ],
    })
  })

  it.each<[string, Message, number, ChannelResult]>([
    ['with a signature that another secret made', { secret: 'another' }, 401, 'forged'],
    ['that is too old', { timestamp: SECONDS() - 301 }, 401, 'stale'],
    ['from a time to come', { timestamp: SECONDS() + 120 }, 401, 'future'],
    ['for nobody', { vote: { person: '' } }, 400, 'unreadable'],
    ['that says neither yes nor no', { vote: { verdict: 'maybe' } }, 400, 'unreadable'],
    ['that says more than a vote does', { vote: { count: 2 } }, 400, 'unreadable'],
    ['in which a member occurs twice', { text: '{"approval":"a","approval":"b"}' }, 400, 'unreadable'],
    [
      'about something else than what will be sent',
      { vote: { view_digest: 'a'.repeat(64) } },
      409,
      'stale_view',
    ],
    [
      'about an approval that nobody knows',
      { vote: { approval: anApproval().id.replace('1980', '1981') } },
      404,
      'unknown_approval',
    ],
    ['of somebody whom nobody has named', { vote: { person: 'eve' } }, 403, 'not_entitled'],
    [
      'of somebody who calls themselves like a member of every object',
      { vote: { person: 'constructor' } },
      403,
      'not_entitled',
    ],
  ])('%s does not count', async (_, message, status, result) => {
    await using votes = await startVotes()
    expect(await votes.post(message)).toMatchObject({ status, contentType: 'application/problem+json' })
    expect(votes.results).toEqual([result])
    expect(await votes.approval()).toMatchObject({ state: 'pending', votes: [] })
  })

  it('of an unknown person is on record under the name of the sender', async () => {
    await using votes = await startVotes()
    await votes.post({ vote: { person: 'eve' } })
    expect(votes.refused).toEqual(['webhook:itsm:eve'])
  })

  it('is taken once, also with another vote under the same id', async () => {
    await using votes = await startVotes()
    await votes.post()
    expect(await votes.post()).toMatchObject({ status: 409 })
    expect(await votes.post({ vote: { verdict: 'deny' } })).toMatchObject({ status: 409 })
    expect(await votes.approval()).toMatchObject({ state: 'approved' })
    expect(votes.results).toEqual(['counted', 'replayed', 'replayed'])
  })

  it('may be sent again where it could not be counted', async () => {
    await using votes = await startVotes()
    votes.break()
    expect(await votes.post()).toMatchObject({ status: 503 })
    votes.mend()
    expect(await votes.post()).toMatchObject({ status: 200 })
    expect(votes.results).toEqual(['unavailable', 'counted'])
  })

  it('needs a sender', async () => {
    const route = webhookVotesRoute({
      senders: () => [],
      approvals: { vote: () => Promise.reject(new Error('never asked')) },
      store: {
        claim: () => Promise.resolve(true),
        release: () => Promise.resolve(),
        remember: () => Promise.resolve(),
        recall: () => Promise.resolve([]),
      },
      clock: systemClock,
      onResult: () => undefined,
      onFailure: () => undefined,
    })
    const request = { path: 'webhook/votes', untrustedHeaders: [], untrustedBodyBase64: '' }
    expect(await route.answer(request)).toMatchObject({ status: 404 })
  })
})
