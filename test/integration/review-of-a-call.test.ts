import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { APPROVAL_STATES } from '../../gateway/approvals/approval.ts'
import { type ApprovedCalls, startApprovedCalls } from '../harness/approved-calls.ts'
import { person } from '../harness/locking.ts'
import { compileRules } from '../harness/opa.ts'
import { startUpstream } from '../harness/upstream.ts'
import { until } from '../harness/until.ts'

/** Every write is looked at afterwards. */
const RULES = `
review := {"id": "R062", "type": "post_review", "properties": {
  "groups": ["change-approvers"], "ttl_seconds": 600, "excluded": ["owner@zyx.example"],
}}
owed contains review if input.operation.access != "read"
decision := {"allow": input.agent.id != "", "risk": 2, "reasons": [], "obligations": owed}
`

let calls: ApprovedCalls
beforeAll(async () => {
  calls = await startApprovedCalls({ bundle: await compileRules(RULES) })
})
afterAll(() => calls[Symbol.asyncDispose]())

async function reviewOf(callId: string) {
  const reviews = await calls.approver.service.list(APPROVAL_STATES, 100)
  return reviews.find(({ subject }) => subject.callId === callId)
}

describe('a call that is looked at afterwards', () => {
  it('goes through, and people are shown what was sent', async () => {
    const answer = await calls.comment({}, 'to be looked at')
    expect(answer.status).toBe(201)
    const review = await reviewOf(answer.callId)
    expect(review).toMatchObject({
      kind: 'review',
      state: 'pending',
      terms: { groups: ['change-approvers'] },
    })
    expect(review?.subject.view).toContain('to be looked at')
  })

  it('has what they say on record, a no as well as a yes', async () => {
    const answer = await calls.comment({}, 'not good')
    const review = await reviewOf(answer.callId)
    await calls.approver.say('deny', review?.id ?? '')
    expect(await reviewOf(answer.callId)).toMatchObject({ state: 'denied' })
  })

  it('that they reject locks its agent where that is set, and is on record and told of', async () => {
    const detections = { review_denied: { action: 'lock' } }
    await using own = await startApprovedCalls({
      bundle: await compileRules(RULES),
      settings: { detections },
    })
    const { toolgate } = own
    const answer = await own.comment({}, 'should not have been')
    const [review] = await own.approver.service.list(['pending'], 1)
    const { id, subject } = review ?? (await own.approver.asked())
    const request = { method: 'POST', path: `approvals/${id}/votes`, query: '' } as const
    const body = { verdict: 'deny', viewDigest: subject.viewDigest }
    const actor = person('kim@zyx.example', ['change-approvers'])
    expect(await toolgate.gateway.control({ ...request, body, actor })).toMatchObject({ status: 200 })
    await until(async () => (await own.comment()).code === 'lock.engaged')
    // The lock comes first, and its detection is put on record after it.
    await expect
      .poll(() => toolgate.records())
      .toEqual(
        expect.arrayContaining([
          expect.objectContaining({ type: 'approval', kind: 'review', state: 'denied', approval: id }),
          expect.objectContaining({ type: 'detection', rule: 'review_denied', last_call: answer.callId }),
        ]),
      )
    expect(
      await toolgate.metric('toolgate_detections_total', { rule: 'review_denied', locked: 'true' }),
    ).toBe(1)
  })

  it('is not for the owner of its agent to look at, whatever groups they are in', async () => {
    await calls.comment({}, 'my own agent')
    const { id, subject } = await calls.approver.asked()
    const path = `approvals/${id}/votes`
    const body = { verdict: 'approve', viewDigest: subject.viewDigest }
    const actor = person('owner@zyx.example', ['change-approvers'])
    const answer = await calls.toolgate.gateway.control({ method: 'POST', path, query: '', body, actor })
    expect(answer).toMatchObject({ status: 403, body: { code: 'approval.excluded' } })
  })

  it('is each time its own, although the bytes are the same', async () => {
    const [first, second] = [await calls.comment({}, 'twice'), await calls.comment({}, 'twice')]
    expect((await reviewOf(first.callId))?.id).not.toBe((await reviewOf(second.callId))?.id)
  })

  it('is no approval: nobody is let through with it', async () => {
    const answer = await calls.comment({}, 'not a ticket')
    const headers = { 'toolgate-approval': (await reviewOf(answer.callId))?.id ?? '' }
    expect((await calls.comment({ headers }, 'not a ticket')).code).toBe('approval.unknown')
  })

  it('is not left for people when it was not made', async () => {
    await using upstream = await startUpstream((_request, response) => response.end('{}'))
    await using own = await startApprovedCalls({
      bundle: await compileRules(RULES),
      upstream: upstream.origin,
      settings: { connectors: { github: { credential: { type: 'bearer', token: 'file:/nowhere/secret' } } } },
    })
    const answer = await own.comment({}, 'never made')
    expect(answer.code).toBe('credential.unavailable')
    expect(upstream.requests).toHaveLength(0)
    await until(async () => {
      const [review] = await own.approver.service.list(APPROVAL_STATES, 10)
      return review?.state === 'revoked'
    })
  })
})
