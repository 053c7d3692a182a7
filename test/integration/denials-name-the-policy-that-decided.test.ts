import { once } from 'node:events'
import { request } from 'node:http'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { until } from '../harness/until.ts'

const TARGET = '/github/repos/zyx/platform-infra/issues/991/comments'

const denying = (risk: number): string => `
decision := {"allow": false, "risk": ${risk}, "reasons": [reason], "obligations": []}
reason := {"code": "agent.unknown", "rule": "R001", "detail": ""}
`

it('a denial carries the risk and the policy that it was decided by, though another is in force by then', async () => {
  await using toolgate = await startTestGateway({
    bundle: await compileRules(denying(7), { revision: 'the first' }),
  })
  const next = join(toolgate.auditDirectory, '..', 'next.tar.gz')
  await writeFile(next, await compileRules(denying(2), { revision: 'the second' }))

  const token = toolgate.token()
  const body = '{"body":"done"}'
  const call = request(toolgate.origin + TARGET, {
    method: 'POST',
    headers: {
      authorization: `DPoP ${token}`,
      dpop: toolgate.proof('POST', TARGET, { token }),
      'content-type': 'application/json',
      'content-length': body.length,
    },
  })
  call.flushHeaders()
  await until(async () => (await toolgate.metric('toolgate_calls_in_flight')) === 1)
  await toolgate.gateway.reload(() => ({
    ...toolgate.loaded,
    policy: { ...toolgate.loaded.policy, bundle: next },
  }))
  call.end(body)
  const [answer] = await once(call, 'response')
  const slow = String(answer.headers['toolgate-call-id'])
  const quick = (await toolgate.send('GET', '/github/repos/zyx/platform-infra/pulls/991')).callId

  const expected = [
    [slow, 'the first', 7],
    [quick, 'the second', 2],
  ] as const
  for (const [callId, revision, risk] of expected) {
    expect(await toolgate.recordsOf(callId)).toMatchObject([
      { type: 'outcome', outcome: 'policy.denied', risk, policy: { revision } },
    ])
    expect(await toolgate.linesOf(callId)).toMatchObject([
      { reason: 'policy.denied', risk, policy_revision: revision },
    ])
  }
})

it('a policy that could not decide is named all the same', async () => {
  await using toolgate = await startTestGateway({
    bundle: await compileRules(
      `
decision := {"allow": false, "risk": 0, "reasons": [], "obligations": []} if input.agent.id == ""
`,
      { revision: 'half a decision' },
    ),
  })
  const { callId, code } = await toolgate.send('GET', '/github/repos/zyx/platform-infra/pulls/991')
  expect(code).toBe('policy.invalid')
  expect(await toolgate.recordsOf(callId)).toMatchObject([{ policy: { revision: 'half a decision' } }])
  expect(await toolgate.linesOf(callId)).toMatchObject([{ policy_revision: 'half a decision' }])
})
