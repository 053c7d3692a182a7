// One thing named where policy looks, another where the vendor looks: a body that names what an update cannot change, a
// query beside a body, a range of commits that reaches into another repository.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'

const JSON_BODY = { 'content-type': 'application/json' }

/** What an operator means by "only the CHG project, only the account zyx". */
const BY_RESOURCE = `
decision := {"allow": allow, "risk": 0, "reasons": reasons, "obligations": []}
default allow := false
allow if input.resource.project == "CHG"
allow if input.resource.account == "zyx"
reasons contains {"code": "agent.unknown", "rule": "R001", "detail": ""} if not allow
`

describe('with rules that allow one project and one account', () => {
  let toolgate: TestGateway
  beforeAll(async () => {
    toolgate = await startTestGateway({ bundle: await compileRules(BY_RESOURCE) })
  })
  afterAll(() => toolgate[Symbol.asyncDispose]())

  test.each([
    ['PUT', '/jira/rest/api/3/component/10000', { project: 'CHG', name: 'x' }],
    ['PUT', '/jira/rest/api/3/version/10000', { project: 'CHG', archived: true }],
    [
      'PUT',
      '/jira/rest/api/3/issue/CHG-1',
      { update: { project: [{ set: { key: 'SECRET' } }] }, fields: { summary: 'x' } },
    ],
    [
      'POST',
      '/jira/rest/api/3/issue',
      { fields: { project: { key: 'CHG' } }, update: { project: [{ set: { key: 'SECRET' } }] } },
    ],
    ['POST', '/github/repos/zyx/platform-infra/forks?organization=evil', {}],
    ['POST', '/github/repos/zyx/platform-infra/forks?organization%5B%5D=evil', {}],
    ['POST', '/github/repos/zyx/platform-infra/transfer?new_owner=evil', { new_owner: 'zyx' }],
    ['POST', '/github/repos/zyx/platform-infra/forks', undefined],
  ])('%s %s does not reach the upstream', async (method, target, body) => {
    const answer = await toolgate.send(method, target, {
      ...(body && { body: JSON.stringify(body), headers: JSON_BODY }),
    })
    expect(answer.decision).toBe('deny')
    expect(toolgate.fakes.jira.requests).toHaveLength(0)
    expect(toolgate.fakes.github.requests).toHaveLength(0)
  })

  test.each(['/* */{"organization":"evil"}', '// \n{"organization":"evil"}'])(
    'JSON behind a comment, labelled as a form, is no form',
    async (body) => {
      const answer = await toolgate.send('POST', '/github/repos/zyx/platform-infra/forks', {
        body,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })
      expect(answer).toMatchObject({ status: 400, code: 'request.body_invalid' })
    },
  )

  test.each([
    ['query', 'GET', '/jira/rest/api/3/issue/CHG-1?_method=DELETE', ''],
    ['form', 'POST', '/github/repos/zyx/platform-infra/issues/1/comments', 'a=b&_method=DELETE'],
  ])('another method in the %s is refused', async (_, method, target, body) => {
    const answer = await toolgate.send(method, target, {
      ...(body !== '' && { body, headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    })
    expect(answer).toMatchObject({ status: 400, code: 'request.ambiguous' })
  })
})

describe('with the committed rules', () => {
  let toolgate: TestGateway
  beforeAll(async () => {
    toolgate = await startTestGateway()
  })
  afterAll(() => toolgate[Symbol.asyncDispose]())

  test.each(['main...zyx:payments-core:main', 'zyx%3Apayments-core%3Amain...main', 'main...stranger:main'])(
    'a comparison with %s is about another repository too',
    async (range) => {
      for (const operation of ['compare', 'dependency-graph/compare']) {
        const answer = await toolgate.send('GET', `/github/repos/zyx/platform-infra/${operation}/${range}`)
        expect(answer).toMatchObject({ decision: 'deny', code: 'policy.denied' })
      }
      expect(toolgate.fakes.github.requests).toHaveLength(0)
    },
  )

  test('a comparison within one repository is not', async () => {
    expect(
      await toolgate.send('GET', '/github/repos/zyx/platform-infra/compare/main...feature%2Fx'),
    ).toMatchObject({ decision: 'allow' })
  })
})
