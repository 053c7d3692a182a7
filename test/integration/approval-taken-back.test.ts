import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Config } from '../../gateway/config/config.ts'
import type { Actor } from '../../gateway/control/actor.ts'
import type { ControlAnswer } from '../../gateway/control/control.ts'
import { webhookHeaders } from '../../gateway/lib/standard-webhook.ts'
import { type ApprovedCalls, heldBy, startApprovedCalls } from '../harness/approved-calls.ts'
import { person } from '../harness/locking.ts'
import type { Answer } from '../harness/send.ts'
import { until } from '../harness/until.ts'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

let calls: ApprovedCalls
beforeAll(async () => {
  calls = await startApprovedCalls({
    environment: { DESK: SECRET },
    settings: {
      notify: {
        voteSenders: {
          desk: {
            signingSecrets: ['env:DESK'],
            people: { kim: { person: 'kim@zyx.example', groups: ['change-approvers'] } },
          },
        },
      },
    },
  })
})
afterAll(() => calls[Symbol.asyncDispose]())

/** Approved by kim, through the service desk. */
async function approvedAtDesk(text: string): Promise<string> {
  const { id } = heldBy(await calls.comment({}, text))
  const { viewDigest: view_digest } = (await calls.approver.get(id)).subject
  const body = Buffer.from(JSON.stringify({ approval: id, person: 'kim', verdict: 'approve', view_digest }))
  const message = { id: `vote-${id}`, timestamp: Math.floor(Date.now() / 1_000), body }
  const answer = await calls.toolgate.gateway.channel({
    path: 'webhook/votes',
    untrustedHeaders: Object.entries(webhookHeaders(message, [SECRET])).flat(),
    untrustedBodyBase64: body.toString('base64'),
  })
  expect(answer).toMatchObject({ status: 200 })
  return id
}

function withId(id: string, text: string): Promise<Answer> {
  return calls.comment({ headers: { 'toolgate-approval': id } }, text)
}

/** With the people that `change` makes of those of the start. */
async function reloaded(change: (config: Config) => Partial<Config>): Promise<void> {
  const { gateway, loaded } = calls.toolgate
  const next = { ...loaded, ...change(loaded) }
  await gateway.reload(() => next)
}

function deskWith(groups: readonly string[]): (config: Config) => Partial<Config> {
  return ({ notify }) => {
    const { desk } = notify.voteSenders
    if (desk === undefined) throw new Error('there is no desk')
    const people = { kim: { person: 'kim@zyx.example', groups } }
    return { notify: { ...notify, voteSenders: { desk: { ...desk, people } } } }
  }
}

async function recorded(approval: string): Promise<unknown[]> {
  return (await calls.toolgate.records()).filter(
    (entry) => entry.type === 'approval' && entry.approval === approval,
  )
}

async function expectRefused(id: string, text: string): Promise<void> {
  const before = calls.toolgate.fakes.github.requests.length
  expect(await withId(id, text)).toMatchObject({ status: 403, code: 'approval.revoked' })
  expect(calls.toolgate.fakes.github.requests).toHaveLength(before)
  await until(async () =>
    (await recorded(id)).some((entry) => (entry as { state: string }).state === 'revoked'),
  )
}

/** A yes at the admin listener, by whoever proved who they are there. */
async function vote(id: string, actor: Actor): Promise<ControlAnswer> {
  const { viewDigest } = (await calls.approver.get(id)).subject
  const body = { verdict: 'approve', viewDigest, comment: 'looks fine' }
  return calls.toolgate.gateway.control({
    method: 'POST',
    path: `approvals/${id}/votes`,
    query: '',
    body,
    actor,
  })
}

describe('an approval that was given', () => {
  it('by somebody who still may is good', async () => {
    expect(await withId(await approvedAtDesk('still there'), 'still there')).toMatchObject({ status: 201 })
  })

  it('by somebody who was taken out of the group is worth nothing, and that is on record', async () => {
    const id = await approvedAtDesk('moved on')
    await reloaded(deskWith(['on-call']))
    await expectRefused(id, 'moved on')
    await reloaded(deskWith(['change-approvers']))
    expect(await withId(id, 'moved on')).toMatchObject({ code: 'approval.revoked' })
  })

  it('by somebody who was barred is worth nothing, and neither is what they say next', async () => {
    const id = await calls.approved('barred')
    const asked = heldBy(await calls.comment({}, 'barred, next')).id
    await reloaded(({ listen }) => {
      const people = { ...listen.admin.people, barred: ['kim@zyx.example'] }
      return { listen: { ...listen, admin: { ...listen.admin, people } } }
    })
    await expectRefused(id, 'barred')
    expect(await vote(asked, person('kim@zyx.example', ['change-approvers']))).toMatchObject({
      status: 403,
      body: { code: 'approval.not_entitled' },
    })
    await reloaded(() => ({}))
  })

  it('by somebody who may not is none: they get 403, and it is on record who tried', async () => {
    const token = calls.toolgate.token({ claims: { act: { sub: 'ola@zyx.example', act: { sub: 'robot' } } } })
    const asked = { token, body: JSON.stringify({ body: 'not theirs' }) }
    const { id } = heldBy(await calls.comment(asked))
    const tried = [
      ['mallory@zyx.example', ['visitors'], 'not_entitled'],
      // All of these are in the group: whose call it is, who acts for her, the agent, and its owner.
      ['dana@zyx.example', ['change-approvers'], 'excluded'],
      [' Ola@ZYX.example', ['change-approvers'], 'excluded'],
      ['robot', ['change-approvers'], 'excluded'],
      ['change-review-agent', ['change-approvers'], 'excluded'],
      ['owner@zyx.example', ['change-approvers'], 'excluded'],
    ] as const
    for (const [who, groups, why] of tried)
      expect(await vote(id, person(who, groups))).toMatchObject({
        status: 403,
        body: { code: `approval.${why}` },
      })
    await until(async () => (await recorded(id)).length > tried.length)
    expect(await recorded(id)).toMatchObject([
      { state: 'requested' },
      ...tried.map(([who, , detail]) => ({
        state: 'vote_refused',
        by: { id: who },
        verdict: 'approve',
        comment: 'looks fine',
        detail,
      })),
    ])
    const sent = { ...asked, headers: { 'toolgate-approval': id } }
    expect(await calls.comment(sent)).toMatchObject({ status: 403, code: 'approval.required' })
  })

  it('can be taken back by people until it is used', async () => {
    const id = await calls.approved('a mistake')
    const actor = person('lee@zyx.example')
    const body = { reason: 'wrong branch' }
    const request = { method: 'DELETE', path: `approvals/${id}`, query: '', body, actor } as const
    expect(await calls.toolgate.gateway.control(request)).toMatchObject({ status: 200 })
    await expectRefused(id, 'a mistake')
    expect(await recorded(id)).toContainEqual(
      expect.objectContaining({ state: 'revoked', detail: 'lee@zyx.example' }),
    )
  })

  it('cannot be taken back once it was used', async () => {
    const id = await calls.approved('too late')
    await withId(id, 'too late')
    const actor = person('lee@zyx.example')
    const request = { method: 'DELETE', path: `approvals/${id}`, query: '', body: {}, actor } as const
    expect(await calls.toolgate.gateway.control(request)).toMatchObject({
      status: 409,
      body: { code: 'approval.final' },
    })
  })
})
