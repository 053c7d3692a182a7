import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { APPROVAL_RULES } from '../harness/approval-rules.ts'
import { type Approver, openApprover } from '../harness/approver.ts'
import { type Sent, startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import type { Answer } from '../harness/send.ts'

const TARGET = '/github/repos/zyx/platform-infra/issues/991/comments'

let toolgate: TestGateway
let approver: Approver
beforeAll(async () => {
  toolgate = await startTestGateway({ bundle: await compileRules(APPROVAL_RULES) })
  approver = await openApprover(toolgate.loaded)
})
afterAll(async () => {
  await approver[Symbol.asyncDispose]()
  await toolgate[Symbol.asyncDispose]()
})

let made = 0
/** A comment that was never made before, or `text` again. */
function comment(more: Sent = {}, text = `comment ${++made}`): Promise<Answer> {
  const headers = { 'content-type': 'application/json', ...more.headers }
  return toolgate.send('POST', TARGET, { body: JSON.stringify({ body: text }), ...more, headers })
}

interface Held {
  readonly approval: { readonly id: string; readonly state: string; readonly url: string }
  readonly detail: string
}
const heldBy = (answer: Answer): Held['approval'] => (answer.json() as Held).approval

describe('a call that people have to approve', () => {
  it('is refused with the approval to wait for, and goes through with it, once', async () => {
    const refused = await comment({}, 'once')
    expect(refused).toMatchObject({ status: 403, code: 'approval.required', decision: 'hold' })
    const { id, state, url } = heldBy(refused)
    expect([state, url]).toEqual(['pending', `${toolgate.origin}/.well-known/toolgate/approvals/${id}`])
    await approver.say('approve', id)
    const headers = { 'toolgate-approval': id }
    expect(await comment({ headers }, 'once')).toMatchObject({ status: 201, decision: 'allow' })
    expect(await comment({ headers }, 'once')).toMatchObject({ status: 403, code: 'approval.used' })
  })
})
