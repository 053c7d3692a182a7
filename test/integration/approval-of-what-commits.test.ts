import { afterAll, beforeAll, expect, it } from 'vitest'
import { APPROVAL_RULES } from '../harness/approval-rules.ts'
import { type ApprovedCalls, heldBy, startApprovedCalls } from '../harness/approved-calls.ts'
import { compileRules } from '../harness/opa.ts'
import type { Answer } from '../harness/send.ts'
import { startUpstream, type Upstream } from '../harness/upstream.ts'

/** As the committed policy has it, whose cases are in policies-rego/cases. */
const RULES = `${APPROVAL_RULES}
enough if input.operation.phase == "prepare"
`
const DRAFT = '{"tag_name":"v1","draft":true}'
const RELEASE = '{"tag_name":"v1","draft":false}'

let calls: ApprovedCalls
let upstream: Upstream
beforeAll(async () => {
  upstream = await startUpstream((_request, response) => {
    response.writeHead(201, { 'content-type': 'application/json' }).end('{}')
  })
  calls = await startApprovedCalls({ bundle: await compileRules(RULES), upstream: upstream.origin })
})
afterAll(async () => {
  await calls[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})

function release(body: string, approval = ''): Promise<Answer> {
  const named = approval === '' ? {} : { 'toolgate-approval': approval }
  const headers = { 'content-type': 'application/json', ...named }
  return calls.toolgate.send('POST', '/github/repos/zyx/platform-infra/releases', { headers, body })
}

it('a draft is made without people, and what puts it in force by their yes to that alone', async () => {
  expect(await release(DRAFT)).toMatchObject({ status: 201, decision: 'allow' })
  const held = await release(RELEASE)
  expect(held).toMatchObject({ status: 403, code: 'approval.required' })
  const { id } = heldBy(held)
  expect((await calls.approver.get(id)).subject.view).toContain('[write, commit]')
  await calls.approver.say('approve', id)
  expect(await release('{"tag_name":"v2","draft":false}', id)).toMatchObject({ code: 'approval.mismatch' })
  expect(await release(RELEASE, id)).toMatchObject({ status: 201 })
  expect(upstream.requests).toHaveLength(2)
})
