import { expect, it } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'

const TARGET = '/github/repos/zyx/platform-infra/pulls/991'

/** Two complete rules that conflict for a call that declares the ticket BOOM. */
const RULES = `
decision := {"allow": allow, "risk": 0, "reasons": reasons, "obligations": []}
default allow := false
allow if input.agent.id != ""
allow := false if input.declared.ticket == "BOOM"
reasons contains {"code": "agent.unknown", "rule": "R001", "detail": ""} if input.agent.id == ""
`

it('an agent that keeps making policy throw is refused before it is asked again; others are served', async () => {
  await using toolgate = await startTestGateway({
    bundle: await compileRules(RULES),
    settings: { breakers: { policy: { failures: 3, windowMs: 60_000, openMs: 30_000 } } },
  })
  const provoking = { headers: { 'toolgate-ticket': 'BOOM' } }
  for (let count = 0; count < 3; count += 1) {
    expect((await toolgate.send('GET', TARGET, provoking)).code).toBe('policy.error')
  }
  for (const sent of [provoking, {}]) {
    const stopped = await toolgate.send('GET', TARGET, sent)
    expect([stopped.status, stopped.code]).toEqual([429, 'breaker.agent_open'])
    expect(Number(stopped.headers['retry-after'])).toBeGreaterThan(0)
    expect(await toolgate.linesOf(stopped.callId)).toMatchObject([{ reason: 'breaker.agent_open' }])
  }
  const other = toolgate.token({ claims: { client_id: 'another-agent' } })
  expect((await toolgate.send('GET', TARGET, { token: other })).status).toBe(200)

  expect(await toolgate.metric('toolgate_policy_instances_replaced_total', { cause: 'failed' })).toBe(3)
  expect(await toolgate.metric('toolgate_policy_breaker_opened_total')).toBe(1)
  expect(await toolgate.logLines()).toContainEqual(
    expect.objectContaining({ event: 'breaker.policy_opened', agent: 'change-review-agent' }),
  )

  // Who is stopped stays so when the configuration is read anew.
  await toolgate.gateway.reload(() => ({ ...toolgate.loaded }))
  expect((await toolgate.send('GET', TARGET)).code).toBe('breaker.agent_open')
})
