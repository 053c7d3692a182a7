// Any issuer could name any tenant and any agent. A partner's issuer, trusted for the partner, signed for the bank's
// release agent and was believed: policy knows agents by their name and tenant.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConfigError } from '../../gateway/config/problem.ts'
import { compileBundle } from '../../gateway/policy/authoring/compile.ts'
import { POLICIES_DIRECTORY } from '../../gateway/policy/authoring/policies-directory.ts'
import { readSources, rootsOf } from '../../gateway/policy/authoring/read-sources.ts'
import { startIssuer, type Issuer } from '../harness/issuer.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'
const BANK = { tenant: 'zyx-bank', groups: ['devsecops-change-review'] }

let partner: Issuer
beforeAll(async () => {
  partner = await startIssuer()
})
afterAll(() => partner[Symbol.asyncDispose]())

const trusting = (settings: Readonly<Record<string, unknown>>) => ({
  issuer: partner.issuer,
  audiences: partner.config.audiences,
  jwks: { uri: partner.jwksUri },
  ...settings,
})

async function askAsBank(toolgate: TestGateway) {
  const token = partner.token({ jkt: toolgate.key.jkt, claims: BANK })
  return toolgate.send('GET', PULL, { token })
}

describe('an issuer trusted for a tenant of its own', () => {
  test.each([{ tenant: 'partner' }, { tenants: ['partner', 'partner-test'] }])(
    'cannot sign for another (%o)',
    async (settings) => {
      await using toolgate = await startTestGateway({ issuers: [trusting(settings)] })
      expect((await toolgate.send('GET', PULL)).status).toBe(200)
      expect(await askAsBank(toolgate)).toMatchObject({ status: 401, code: 'identity.token_invalid' })
    },
  )

  test('has to say which, where it is not alone', async () => {
    await expect(startTestGateway({ issuers: [trusting({})] })).rejects.toThrow(ConfigError)
  })
})

test('an agent registered with one issuer is no other issuer’s to name', async () => {
  await using bank = await startIssuer()
  const sources = new Map(await readSources(POLICIES_DIRECTORY))
  const path = [...sources.keys()].find((name) => name.endsWith('registry/agents/data.json')) ?? ''
  const agents = JSON.parse(String(sources.get(path))) as Record<string, object>
  const agent = 'change-review-agent'
  const registered = { ...agents, [agent]: { ...agents[agent], issuer: bank.issuer } }
  sources.set(path, JSON.stringify(registered))
  const bundle = await compileBundle({ sources, roots: rootsOf(sources) })
  await using toolgate = await startTestGateway({
    bundle,
    issuers: [
      trusting({ tenants: ['zyx-bank'] }),
      { ...trusting({ tenants: ['zyx-bank'] }), issuer: bank.issuer, jwks: { uri: bank.jwksUri } },
    ],
  })
  const token = bank.token({ jkt: toolgate.key.jkt, claims: BANK })
  expect((await toolgate.send('GET', PULL, { token })).status).toBe(200)
  expect(await askAsBank(toolgate)).toMatchObject({ status: 403, code: 'policy.denied' })
})
