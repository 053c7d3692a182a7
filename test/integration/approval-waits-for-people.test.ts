import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { APPROVAL_RULES } from '../harness/approval-rules.ts'
import { type ApprovedCalls, COMMENTS, heldBy, startApprovedCalls } from '../harness/approved-calls.ts'
import { askLocks, setLock } from '../harness/locking.ts'
import { connectRaw } from '../harness/raw-client.ts'

let calls: ApprovedCalls
beforeAll(async () => {
  calls = await startApprovedCalls({ settings: { approvals: { maxHeld: 1 } } })
})
afterAll(() => calls[Symbol.asyncDispose]())

const WAIT = { headers: { prefer: 'wait=30' } }

/** Until somebody is asked about this one, and not about another that still waits. */
async function askedAbout(text: string): Promise<string> {
  for (;;) {
    const pending = await calls.approver.service.list(['pending'], 100)
    const found = pending.find(({ subject }) => subject.view.includes(text))
    if (found !== undefined) return found.id
    await new Promise(setImmediate)
  }
}

describe('a call that waits for people', () => {
  it('goes on by itself once they said yes', async () => {
    const answer = calls.comment(WAIT, 'patience')
    await calls.approver.say('approve', await askedAbout('patience'))
    expect(await answer).toMatchObject({ status: 201, decision: 'allow' })
  })

  it('ends once they said no', async () => {
    const answer = calls.comment(WAIT, 'refusal')
    await calls.approver.say('deny', await askedAbout('refusal'))
    expect(await answer).toMatchObject({ status: 403, code: 'approval.denied' })
  })

  it('is answered when its time is over, and can be made later on', async () => {
    const answer = await calls.comment({ headers: { prefer: 'wait=1' } }, 'late')
    expect(answer).toMatchObject({ status: 403, code: 'approval.required' })
    const { id } = heldBy(answer)
    await calls.approver.say('approve', id)
    const headers = { 'toolgate-approval': id }
    expect((await calls.comment({ headers }, 'late')).status).toBe(201)
  })

  it('is seen to wait, and beyond as many as may the next one is answered at once', async () => {
    const { metric } = calls.toolgate
    const answer = calls.comment(WAIT, 'first')
    const id = await askedAbout('first')
    expect([await metric('toolgate_calls_held'), await metric('toolgate_calls_held_limit')]).toEqual([1, 1])
    expect(await calls.comment(WAIT, 'second')).toMatchObject({ status: 403, code: 'approval.required' })
    expect(await metric('toolgate_calls_unheld_total')).toBe(1)
    await calls.approver.say('approve', id)
    expect((await answer).status).toBe(201)
    expect(await metric('toolgate_calls_held')).toBe(0)
  })

  it('is ended by a lock, at once', async () => {
    const answer = calls.comment(WAIT, 'locked')
    await askedAbout('locked')
    const startedMs = performance.now()
    const lock = await setLock(calls.toolgate.gateway, 'agent:change-review-agent')
    const locked = await answer
    expect(locked).toMatchObject({ status: 403, code: 'lock.engaged' })
    expect(performance.now() - startedMs).toBeLessThan(1_000)
    expect(await calls.toolgate.recordsOf(locked.callId)).toContainEqual(
      expect.objectContaining({ outcome: 'lock.engaged', detail: expect.stringContaining(lock) }),
    )
    expect(await calls.toolgate.metric('toolgate_calls_held')).toBe(0)
    await askLocks(calls.toolgate.gateway, 'DELETE', { id: lock })
  })

  it('waits no longer than its token is good for', async () => {
    const token = calls.toolgate.token({ lifetimeMs: 2_000 })
    const answer = await calls.comment({ ...WAIT, token }, 'token')
    expect(answer).toMatchObject({ status: 401, code: 'identity.token_expired' })
  })

  it('leaves its place when the agent hangs up; nothing is sent then, whatever people say', async () => {
    const { toolgate, approver } = calls
    const before = toolgate.fakes.github.requests.length
    const token = toolgate.token()
    const body = JSON.stringify({ body: 'gone' })
    const agent = await connectRaw(toolgate.gateway.port)
    agent.send(
      [
        `POST ${COMMENTS} HTTP/1.1`,
        'Host: gateway.test',
        `Authorization: DPoP ${token}`,
        `DPoP: ${toolgate.proof('POST', COMMENTS, { token })}`,
        'Content-Type: application/json',
        'Prefer: wait=30',
        `Content-Length: ${body.length}`,
        '',
        body,
      ].join('\r\n'),
    )
    const id = await askedAbout('gone')
    await agent[Symbol.asyncDispose]()
    await expect.poll(() => toolgate.metric('toolgate_calls_in_flight')).toBe(0)
    await approver.say('approve', id)
    expect(toolgate.fakes.github.requests).toHaveLength(before)
    expect((await approver.get(id)).state).toBe('approved')
  })
})

describe('a call that waited', () => {
  it('is decided by the policy that is in force by then', async () => {
    await using own = await startApprovedCalls()
    const answer = own.comment(WAIT, 'frozen')
    const { id } = await own.approver.asked()
    await own.replaceRules(APPROVAL_RULES.replace('asked := ', 'denied contains reason\nasked := '))
    await own.approver.say('approve', id)
    expect(await answer).toMatchObject({ status: 403, code: 'policy.denied' })
    expect((await own.approver.get(id)).state).toBe('approved')
  })

  it('is told to try again when the gateway drains, and goes through at the next one', async () => {
    const own = await startApprovedCalls()
    const answer = own.comment(WAIT, 'drained')
    await own.approver.asked()
    const draining = own.toolgate.gateway.drain(new AbortController().signal)
    expect(await answer).toMatchObject({ status: 503, code: 'gateway.draining' })
    await draining
    await own[Symbol.asyncDispose]()
  })
})
