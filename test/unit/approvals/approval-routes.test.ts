import { describe, expect, it } from 'vitest'
import { approvalRoutes } from '../../../gateway/approvals/approval-routes.ts'
import type { Actor } from '../../../gateway/control/actor.ts'
import { createControlPlane } from '../../../gateway/control/control-plane.ts'
import type { ControlAnswer, ControlRequest } from '../../../gateway/control/control.ts'
import { callId, person, subject, VIEW_DIGEST } from '../../harness/approval.ts'
import { expectDescribed } from '../../harness/described-answer.ts'
import { startApprovals } from '../../harness/approvals.ts'

const ALICE: Actor = { kind: 'person', person: person('alice@acme.example') }
const EVE: Actor = { kind: 'person', person: person('eve@acme.example', { groups: ['developers'] }) }
const PAT: Actor = { kind: 'person', person: person('Pat@acme.example') }
const YES = { verdict: 'approve', viewDigest: VIEW_DIGEST }

async function start() {
  const under = await startApprovals()
  const faults: unknown[] = []
  const routes = approvalRoutes(under.service)
  const plane = createControlPlane({ routes, channels: [], onFault: (cause) => faults.push(cause) })
  const ask = async (
    method: ControlRequest['method'],
    path: string,
    { actor = ALICE, ...more }: { actor?: Actor; body?: unknown; query?: string } = {},
  ): Promise<ControlAnswer> => {
    const answer = await plane.control({ method, path, query: '', body: undefined, actor, ...more })
    expectDescribed({ method, path }, answer)
    return answer
  }
  const held = subject({ callId: callId('0199a1b2-0000-7000-8000-00000000ca11') })
  return { ...under, ask, faults, request: (more = {}) => under.request({ subject: held, ...more }) }
}

describe('who asks for approvals', () => {
  it('sees those that wait, without what they are about', async () => {
    await using under = await start()
    const { id } = await under.request()
    const { status, body } = await under.ask('GET', 'approvals', { actor: { kind: 'operator' } })
    expect(status).toBe(200)
    expect(body).toMatchObject({ approvals: [{ id, state: 'pending', approvals: { given: 0, needed: 1 } }] })
    expect(JSON.stringify(body)).not.toContain(subject().view)
  })

  it('sees those of other states, and no more than asked for', async () => {
    await using under = await start()
    const { id } = await under.request()
    await under.request({ subject: subject({ binding: '2' }) })
    await under.ask('DELETE', `approvals/${id}`)
    const query = 'state=revoked&state=pending&limit=1'
    expect(await under.ask('GET', 'approvals', { query })).toMatchObject({
      body: { approvals: [{ state: 'pending' }] },
    })
    expect(await under.ask('GET', 'approvals', { query: 'state=revoked' })).toMatchObject({
      body: { approvals: [{ id }] },
    })
  })

  it('does not see as waiting what time has ended', async () => {
    await using under = await start()
    await under.request()
    under.clock.advance(1_800_000)
    expect(await under.ask('GET', 'approvals')).toEqual({ status: 200, body: { approvals: [] } })
  })

  it.each(['state=open', 'state=pending,approved', 'limit=0', 'limit=201', 'limit=1e1', 'agent=x'])(
    'is told what can be asked for, not %s',
    async (query) => {
      await using under = await start()
      expect(await under.ask('GET', 'approvals', { query })).toMatchObject({
        status: 400,
        body: { code: 'approval.invalid' },
      })
    },
  )

  it('sees all of one, and whether it is theirs to answer', async () => {
    await using under = await start()
    const { id } = await under.request()
    const { body } = await under.ask('GET', `approvals/${id}`)
    expect(body).toMatchObject({
      approval: { view: subject().view, viewDigest: VIEW_DIGEST, you: 'entitled' },
    })
    const you = async (actor: Actor) => (await under.ask('GET', `approvals/${id}`, { actor })).body
    expect(await you(EVE)).toMatchObject({ approval: { you: 'not_entitled' } })
    expect(await you(PAT)).toMatchObject({ approval: { you: 'excluded' } })
    expect(await you({ kind: 'operator' })).toMatchObject({ approval: { you: 'not_entitled' } })
  })

  it.each(['00000000-0000-7000-8000-00000000ffff', 'x', '00000000-0000-7000-8000-00000000000G'])(
    'finds nothing under %s',
    async (id) => {
      await using under = await start()
      const unknown = { status: 404, body: { code: 'approval.unknown' } }
      expect(await under.ask('GET', `approvals/${id}`)).toMatchObject(unknown)
      expect(await under.ask('POST', `approvals/${id}/votes`, { body: YES })).toMatchObject(unknown)
      expect(await under.ask('DELETE', `approvals/${id}`)).toMatchObject(unknown)
    },
  )
})

describe('who answers an approval', () => {
  it('has their vote counted, and may click twice', async () => {
    await using under = await start()
    const { id } = await under.request()
    const body = { ...YES, comment: 'checked with token ghp_0123456789abcdefghij' }
    const click = () => under.ask('POST', `approvals/${id}/votes`, { body })
    const approved = { status: 200, body: { approval: { state: 'approved' } } }
    expect([await click(), await click()]).toMatchObject([approved, approved])
    const [vote, ...more] = (await under.service.lookup(id))?.votes ?? []
    expect(more).toEqual([])
    expect(vote).toMatchObject({
      person: { id: 'alice@acme.example' },
      comment: 'checked with token [removed]',
    })
  })

  it.each<[string, Actor, string]>([
    ['is in none of the groups', EVE, 'approval.not_entitled'],
    ['stands behind the call', PAT, 'approval.excluded'],
    ['is nobody in particular', { kind: 'operator' }, 'approval.not_entitled'],
  ])('and %s is refused, and on record', async (_who, actor, code) => {
    await using under = await start()
    const { id } = await under.request()
    const answer = await under.ask('POST', `approvals/${id}/votes`, { body: YES, actor })
    expect(answer).toMatchObject({ status: 403, body: { code } })
    expect(await under.service.lookup(id)).toMatchObject({ state: 'pending', votes: [] })
    expect(under.kinds()).toEqual(['requested', 'vote_refused'])
  })

  it('without having seen what will be sent is asked to look again', async () => {
    await using under = await start()
    const { id } = await under.request()
    const body = { ...YES, viewDigest: 'e'.repeat(64) }
    expect(await under.ask('POST', `approvals/${id}/votes`, { body })).toMatchObject({
      status: 409,
      body: { code: 'approval.stale_view', viewDigest: VIEW_DIGEST },
    })
  })

  it('too late is told what it became', async () => {
    await using under = await start()
    const { id } = await under.request()
    under.clock.advance(1_800_000)
    expect(await under.ask('POST', `approvals/${id}/votes`, { body: YES })).toMatchObject({
      status: 409,
      body: { code: 'approval.final', state: 'expired' },
    })
  })

  it.each([
    undefined,
    null,
    'approve',
    [YES],
    {},
    { verdict: 'approve' },
    { ...YES, verdict: 'abstain' },
    { ...YES, viewDigest: VIEW_DIGEST.toUpperCase() },
    { ...YES, viewDigest: [VIEW_DIGEST] },
    { ...YES, comment: 'x'.repeat(1_025) },
    { ...YES, comment: 1 },
    { ...YES, person: 'bob' },
  ])('with %j is not understood', async (body) => {
    await using under = await start()
    const { id } = await under.request()
    expect(await under.ask('POST', `approvals/${id}/votes`, { body })).toMatchObject({
      status: 400,
      body: { code: 'approval.invalid' },
    })
    expect(under.kinds()).toEqual(['requested'])
  })

  it('is told when nothing can be said', async () => {
    await using under = await start()
    const { id } = await under.request()
    await under.close()
    expect(await under.ask('POST', `approvals/${id}/votes`, { body: YES })).toMatchObject({
      status: 503,
      body: { code: 'approval.unavailable' },
      headers: { 'Retry-After': '1' },
    })
    expect(under.faults).toEqual([])
  })
})

describe('who takes an approval back', () => {
  it('may be the operator, as with a lock, says why, and may say so twice', async () => {
    await using under = await start()
    const { id } = await under.request()
    await under.ask('POST', `approvals/${id}/votes`, { body: YES })
    for (const actor of [{ kind: 'operator' }, ALICE] as const) {
      const answer = await under.ask('DELETE', `approvals/${id}`, { actor, body: { reason: 'wrong branch' } })
      expect(answer).toMatchObject({
        status: 200,
        body: { approval: { state: 'revoked', revokedBy: 'operator' } },
      })
    }
  })

  it('after it was answered with no is told so', async () => {
    await using under = await start()
    const { id } = await under.request()
    await under.ask('POST', `approvals/${id}/votes`, { body: { ...YES, verdict: 'deny' } })
    expect(await under.ask('DELETE', `approvals/${id}`)).toMatchObject({
      status: 409,
      body: { code: 'approval.final', state: 'denied' },
    })
    expect(await under.ask('DELETE', `approvals/${id}`, { body: { why: '' } })).toMatchObject({ status: 400 })
  })
})
