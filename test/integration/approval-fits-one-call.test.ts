import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ApprovedCalls, COMMENTS, startApprovedCalls } from '../harness/approved-calls.ts'
import type { Sent } from '../harness/gateway.ts'
import { createProofKey, signProof } from '../harness/proof.ts'

const TEXT = 'as approved'
const BODY = JSON.stringify({ body: TEXT })

let calls: ApprovedCalls
let id: string
beforeAll(async () => {
  calls = await startApprovedCalls()
  id = await calls.approved(TEXT)
})
afterAll(() => calls[Symbol.asyncDispose]())

interface Changed extends Sent {
  readonly method?: string
  readonly target?: string
}

const claims = (changed: Record<string, unknown>): Changed => ({
  token: calls.toolgate.token({ claims: changed }),
})

/** The same caller with another key, and a token that is bound to it. */
function withAnotherKey(): Changed {
  const key = createProofKey()
  const token = calls.toolgate.token({ jkt: key.jkt })
  return { token, proof: signProof({ key, method: 'POST', url: calls.toolgate.origin + COMMENTS, token }) }
}

/** One thing of the approved call that is another. */
const CHANGES: Readonly<Record<string, () => Changed>> = {
  method: () => ({ method: 'PATCH', target: '/github/repos/zyx/platform-infra/issues/comments/1' }),
  'the issue that it is about': () => ({ target: COMMENTS.replace('991', '992') }),
  'the repository': () => ({ target: COMMENTS.replace('platform-infra', 'payments-core') }),
  'the query': () => ({ target: `${COMMENTS}?draft=1` }),
  'one byte of the body': () => ({ body: BODY.replace('as', 'As') }),
  'white space of the body': () => ({ body: BODY.replace(':', ': ') }),
  'a second member of the same name': () => ({ body: '{"body":"something else","body":"as approved"}' }),
  'a header that the upstream reads': () => ({ headers: { 'x-github-api-version': '2020-01-01' } }),
  'the rationale that people were shown': () => ({ headers: { 'toolgate-rationale': 'another one' } }),
  'the ticket': () => ({ headers: { 'toolgate-ticket': 'CHG-2' } }),
  'the task': () => ({ headers: { 'toolgate-task': 'T-2' } }),
  'the agent': () => claims({ client_id: 'release-agent' }),
  'the principal': () => claims({ sub: 'rui@zyx.example' }),
  'who acts for the principal': () => claims({ act: { sub: 'somebody-between' } }),
  'the tenant': () => claims({ tenant: 'another-bank' }),
  'the key': withAnotherKey,
}

describe('an approval', () => {
  it.each(Object.keys(CHANGES))('is of no use to a call that differs in %s', async (name) => {
    const { method = 'POST', target = COMMENTS, ...more } = CHANGES[name]?.() ?? {}
    const before = calls.toolgate.fakes.github.requests.length
    const headers = { 'content-type': 'application/json', 'toolgate-approval': id, ...more.headers }
    const answer = await calls.toolgate.send(method, target, { body: BODY, ...more, headers })
    expect([answer.decision, answer.code]).toEqual([
      'deny',
      expect.stringMatching(/^(approval\.mismatch|request\.body_invalid)$/),
    ])
    expect(calls.toolgate.fakes.github.requests).toHaveLength(before)
  })

  it('is neither used up nor spoiled by all that', async () => {
    const headers = { 'toolgate-approval': id }
    expect((await calls.comment({ headers }, TEXT)).status).toBe(201)
  })

  it('that nobody made is unknown, and what is no id is no request', async () => {
    const headers = { 'toolgate-approval': '01890a5d-ac96-774b-bcce-b302099a8057' }
    expect((await calls.comment({ headers }, TEXT)).code).toBe('approval.unknown')
    expect((await calls.comment({ headers: { 'toolgate-approval': 'mine' } }, TEXT)).code).toBe(
      'request.malformed',
    )
  })
})
