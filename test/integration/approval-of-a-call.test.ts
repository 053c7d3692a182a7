import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ApprovedCalls, heldBy, startApprovedCalls } from '../harness/approved-calls.ts'
import { until } from '../harness/until.ts'

let calls: ApprovedCalls
beforeAll(async () => {
  calls = await startApprovedCalls()
})
afterAll(() => calls[Symbol.asyncDispose]())

describe('a call that people have to approve', () => {
  it('is refused with the approval to wait for, and goes through with it, once', async () => {
    const { comment, approver, toolgate } = calls
    const refused = await comment({}, 'once')
    expect(refused).toMatchObject({ status: 403, code: 'approval.required', decision: 'hold' })
    const { id, state, url } = heldBy(refused)
    expect([state, url]).toEqual(['pending', `${toolgate.origin}/.well-known/toolgate/approvals/${id}`])
    await approver.say('approve', id)
    const headers = { 'toolgate-approval': id }
    const made = await comment({ headers }, 'once')
    expect(made).toMatchObject({ status: 201, decision: 'allow' })
    expect(await comment({ headers }, 'once')).toMatchObject({ status: 403, code: 'approval.used' })
    expect(await toolgate.recordsOf(made.callId)).toContainEqual(
      expect.objectContaining({ type: 'decision', approval: { approvers: ['kim@zyx.example'], id } }),
    )
  })

  it('asked for again waits for the same people, not for others', async () => {
    const first = heldBy(await calls.comment({}, 'again'))
    expect(heldBy(await calls.comment({}, 'again')).id).toBe(first.id)
    expect(heldBy(await calls.comment({}, 'another')).id).not.toBe(first.id)
  })

  it('is over for good once somebody said no', async () => {
    const { id } = heldBy(await calls.comment({}, 'no'))
    await calls.approver.say('deny', id)
    const headers = { 'toolgate-approval': id }
    expect(await calls.comment({ headers }, 'no')).toMatchObject({ status: 403, code: 'approval.denied' })
    expect(await calls.approver.say('approve', id)).toMatchObject({ kind: 'refused' })
  })

  it('needs as many people as policy says, and is not made with fewer', async () => {
    const task = { 'toolgate-task': 'change-2' }
    const { id } = heldBy(await calls.comment({ headers: task }, 'two'))
    await calls.approver.say('approve', id)
    const headers = { ...task, 'toolgate-approval': id }
    expect((await calls.comment({ headers }, 'two')).code).toBe('approval.required')
    await calls.approver.say('approve', id, 'lee@zyx.example')
    expect((await calls.comment({ headers }, 'two')).status).toBe(201)
  })

  it('is not made, whatever people said, where policy says no to it with their answer', async () => {
    const task = { 'toolgate-task': 'only-unasked' }
    const { id } = heldBy(await calls.comment({ headers: task }, 'x'))
    await calls.approver.say('approve', id)
    const headers = { ...task, 'toolgate-approval': id }
    expect((await calls.comment({ headers }, 'x')).code).toBe('policy.denied')
  })

  it('is answered with 202 and its place where the agent understands that', async () => {
    const answer = await calls.comment({ headers: { prefer: 'respond-async' } })
    expect(answer).toMatchObject({ status: 202, decision: 'hold' })
    expect(answer.headers).toMatchObject({
      'preference-applied': 'respond-async',
      location: heldBy(answer).url,
      'retry-after': expect.stringMatching(/^\d+$/) as unknown,
    })
  })

  it('is only ever one call, however many bring the approval at once', async () => {
    const id = await calls.approved('race')
    const headers = { 'toolgate-approval': id }
    const before = calls.toolgate.fakes.github.requests.length
    const answers = await Promise.all(Array.from({ length: 20 }, () => calls.comment({ headers }, 'race')))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set(['', 'approval.used']))
    expect(calls.toolgate.fakes.github.requests).toHaveLength(before + 1)
  })

  it('is only ever one call, however many wait for the same answer', async () => {
    const before = calls.toolgate.fakes.github.requests.length
    const headers = { prefer: 'wait=20' }
    const waiting = Array.from({ length: 20 }, () => calls.comment({ headers }, 'all of us'))
    await until(async () => (await calls.toolgate.metric('toolgate_calls_held')) === waiting.length)
    await calls.approver.say('approve', (await calls.approver.asked()).id)
    const answers = await Promise.all(waiting)
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set(['', 'approval.used']))
    expect(calls.toolgate.fakes.github.requests).toHaveLength(before + 1)
  })
})
