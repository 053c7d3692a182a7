import { expect, it } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { ALLOW_EVERYTHING } from '../harness/permissive-rules.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'
const OPTION = 'toolgate_dangerously_allow_unbound_tokens'
const WARNING = { level: 'warn', event: 'identity.unbound_tokens_allowed' }

it('a gateway that takes unbound tokens says so at its start, in a metric and with each of them', async () => {
  await using toolgate = await startTestGateway({
    bundle: await compileRules(ALLOW_EVERYTHING),
    settings: { identity: { dangerouslyAllowUnboundTokens: true } },
  })
  expect(await toolgate.metric(OPTION)).toBe(1)
  await expect.poll(() => toolgate.logLines()).toContainEqual(expect.objectContaining(WARNING))

  const answer = await toolgate.send('GET', PULL, { token: toolgate.token({ jkt: undefined }), proof: null })
  expect(answer).toMatchObject({ status: 200, decision: 'allow' })
  expect(await toolgate.recordsOf(answer.callId)).toMatchObject([
    { type: 'decision', who: { binding: 'none', key: '' } },
    { type: 'outcome', outcome: 'allowed' },
  ])
  expect(await toolgate.linesOf(answer.callId)).toMatchObject([{ binding: 'none' }])
  expect(await toolgate.metric('toolgate_identity_unbound_tokens_total')).toBe(1)
})

it('one that does not is silent about it, and refuses them', async () => {
  await using toolgate = await startTestGateway()
  expect(await toolgate.metric(OPTION)).toBe(0)
  expect(await toolgate.logLines()).not.toContainEqual(expect.objectContaining({ event: WARNING.event }))
  const refused = await toolgate.send('GET', PULL, { token: toolgate.token({ jkt: undefined }), proof: null })
  expect(refused).toMatchObject({ status: 401, code: 'identity.token_unbound' })
})
