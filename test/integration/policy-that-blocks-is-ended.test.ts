import { expect, it } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'

const TARGET = '/github/repos/zyx/platform-infra/pulls/991'

/** Takes seconds for a call that declares the ticket SLOW. */
const RULES = `
decision := {"allow": allow, "risk": 0, "reasons": reasons, "obligations": []}
default allow := false
allow if { input.agent.id != ""; pairs > 0 }
reasons contains {"code": "agent.unknown", "rule": "R001", "detail": ""} if not allow
numbers_wished := numbers.range(1, object.get({"SLOW": 40000}, input.declared.ticket, 1))
pairs := count([1 |
	some x in numbers_wished
	some y in numbers_wished
	x == y
])
`

it('other calls go on while a policy in a thread of its own takes seconds, and that call is refused', async () => {
  await using toolgate = await startTestGateway({
    bundle: await compileRules(RULES),
    settings: { policy: { isolation: 'worker', budgetMs: 1_500 } },
  })
  expect((await toolgate.send('GET', TARGET)).status).toBe(200)
  const slow = toolgate.send('GET', TARGET, { headers: { 'toolgate-ticket': 'SLOW' } })
  // Not decided by policy, so not held up by it either.
  expect((await toolgate.send('GET', '/github/nowhere')).code).toBe('route.unknown_operation')
  const behind = await Promise.all([toolgate.send('GET', TARGET), toolgate.send('GET', TARGET)])
  expect(behind.map(({ status }) => status)).toEqual([200, 200])
  expect((await slow).code).toBe('policy.error')
  expect(await toolgate.metric('toolgate_policy_over_budget_total')).toBe(1)
  expect(await toolgate.metric('toolgate_policy_threads_ended_total')).toBe(1)
  expect((await toolgate.logLines()).map(({ event }) => event)).toEqual(
    expect.arrayContaining(['policy.over_budget', 'policy.thread_ended']),
  )
})
