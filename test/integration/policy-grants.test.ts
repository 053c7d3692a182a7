import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Grant } from '../../gateway/policy/authoring/grants.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { policyFolder, runPolicy, runPolicyJson, SMALL_POLICY } from '../harness/policy-command.ts'

interface Listed {
  readonly grants: readonly (Grant & { readonly used?: number })[]
  readonly unused?: readonly { readonly agent: string; readonly grant: string }[]
}

let toolgate: TestGateway
/** Of the committed policy, which takes seconds to derive, after one call. */
let listed: Listed
beforeAll(async () => {
  toolgate = await startTestGateway()
  await toolgate.send('GET', '/github/repos/zyx/platform-infra/pulls/991')
  listed = (await runPolicyJson(['grants', '--audit', toolgate.auditDirectory])).json as Listed
})
afterAll(() => toolgate[Symbol.asyncDispose]())

describe('toolgate policy grants', () => {
  it('lists who may do what, on which resources, with which groups, and whether people are asked', () => {
    const { grants } = listed
    const of = (agent: string, operation: string) =>
      grants.find((grant) => grant.agent === agent && grant.operation === operation)
    expect(of('release-agent', 'github.pulls/merge')).toMatchObject({
      roles: ['releaser'],
      by: 'operation',
      groups: ['devsecops-change-review', 'release-engineering'],
      resources: expect.arrayContaining([
        expect.stringContaining('repository zyx/platform-infra'),
      ]) as unknown,
      approval: 'always',
    })
    expect(of('secret-response-agent', 'github.actions/create-or-update-repo-secret')).toMatchObject({
      groups: ['secret-custodians + security-operations'],
      approval: 'always',
    })
    expect(of('change-review-agent', 'github.pulls/merge')).toBeUndefined()
    expect(of('change-review-agent', 'slack.chat.postMessage')).toMatchObject({ approval: 'never' })
  })

  it('marks what the data grants and the rules allow to nobody', async () => {
    const { grants } = listed
    expect(grants).toContainEqual(
      expect.objectContaining({ agent: 'standards-search-agent', operation: 'jira.addComment', groups: [] }),
    )
    expect((await runPolicy(['grants'])).printed).toContain('granted, but allowed to nobody')
  })

  it('says that there is no record where there is none', async () => {
    const { exitCode, complained } = await runPolicy(['grants', '--audit', 'nowhere'])
    expect(exitCode).toBe(1)
    expect(complained).toContain('there is no record in nowhere: name its folder with --audit')
  })

  it('finds the grants that no call on record used', () => {
    const { grants, unused = [] } = listed
    expect(
      grants.filter(({ used = 0 }) => used > 0).map(({ agent, operation }) => [agent, operation]),
    ).toEqual([['change-review-agent', 'github.pulls/get']])
    expect(unused).toContainEqual({
      agent: 'release-agent',
      roles: ['releaser'],
      grant: 'github.pulls/merge',
    })
    expect(unused).not.toContainEqual(
      expect.objectContaining({ agent: 'change-review-agent', grant: 'github.pulls/get' }),
    )
  })

  it('says that data of another shape cannot be read for grants', async () => {
    await using folder = await policyFolder(SMALL_POLICY)
    await runPolicy(['build', '--directory', folder.path])
    const { exitCode, complained } = await runPolicy(['grants', '--bundle', `${folder.path}/bundle.tar.gz`])
    expect(exitCode).toBe(1)
    expect(complained).toContain('has no registry.roles')
  })
})
