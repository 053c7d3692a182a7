import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Explanation } from '../../gateway/policy/authoring/explain.ts'
import { readCases } from '../../gateway/policy/authoring/cases.ts'
import { POLICIES_DIRECTORY } from '../../gateway/policy/authoring/policies-directory.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import {
  policyFolder,
  REPORTING_RULES,
  runPolicy,
  runPolicyJson,
  SMALL_POLICY,
} from '../harness/policy-command.ts'

/** What is on record then is what fits into its entries. */
const WITHOUT_DISCLOSURES = { audit: { disclosures: { enabled: false } } }

let toolgate: TestGateway
beforeAll(async () => {
  toolgate = await startTestGateway({ settings: WITHOUT_DISCLOSURES })
})
afterAll(() => toolgate[Symbol.asyncDispose]())

/** The cases of the small policy. */
async function readSmallCases() {
  await using folder = await policyFolder(SMALL_POLICY)
  return await readCases(join(folder.path, 'cases'))
}

async function inputOf(id: string): Promise<string> {
  const found = (await readCases(join(POLICIES_DIRECTORY, 'cases'))).find((each) => each.id === id)
  if (found === undefined) throw new RangeError(id)
  return JSON.stringify(found.input)
}

const ids = (rules: Explanation['quiet']): string[] => rules.map(({ id }) => id)

describe('toolgate policy explain, of an input', () => {
  it('names the rule that denied, with its title, code and place, and those that one condition kept quiet', async () => {
    await using folder = await policyFolder({ 'input.json': await inputOf('release.yaml #9') })
    const { exitCode, json } = await runPolicyJson(['explain', join(folder.path, 'input.json')])
    const { decision, fired, nearly, quiet } = json as Explanation
    expect(exitCode).toBe(0)
    expect(decision).toMatchObject({ allow: false, reasons: [{ rule: 'R042' }] })
    expect(fired.filter(({ set }) => set === 'deny')).toEqual([
      expect.objectContaining({
        id: 'R042',
        title: 'Rollback plan',
        code: 'rollback_plan.required',
        file: 'gateway/change_control.rego',
      }),
    ])
    expect(nearly.find(({ id }) => id === 'R021')?.missing.map(({ text }) => text)).toEqual([
      'not facts.agent.may_write == true',
    ])
    expect(ids(quiet)).toContain('R001')
  })

  it.each(['callers-refused.yaml #1', 'callers-refused.yaml #5', 'release.yaml #8'])(
    'names the denials that the compiled policy gives, no more and no fewer: %s',
    async (id) => {
      await using folder = await policyFolder({ 'input.json': await inputOf(id) })
      const { json } = await runPolicyJson(['explain', join(folder.path, 'input.json')])
      const { decision, fired } = json as Explanation
      const reasons = decision !== undefined && 'reasons' in decision ? decision.reasons : []
      expect(reasons).not.toEqual([])
      expect(ids(fired.filter(({ set }) => set === 'deny')).sort()).toEqual(reasons.map(({ rule }) => rule))
    },
  )

  it('reads the rules of any bundle, not of the one that comes with the gateway', async () => {
    await using folder = await policyFolder({
      ...SMALL_POLICY,
      'input.json': await inputOf('release.yaml #9'),
    })
    await runPolicy(['build', '--directory', folder.path])
    const bundle = join(folder.path, 'bundle.tar.gz')
    const { printed } = await runPolicy(['explain', join(folder.path, 'input.json'), '--bundle', bundle])
    expect(printed).toContain('decision  deny operation.not_granted')
    expect(printed).toMatch(/fired\n {2}R020 +deny +operation\.not_granted +Granted operation/)
    expect(printed).toMatch(/R043 .*\n +line \d+: not input\.time\.business_hours == true/)
  })

  it('folds rules of two conditions where many are near, and has all of them in JSON', async () => {
    await using folder = await policyFolder({ 'input.json': await inputOf('history.yaml #3') })
    const args = ['explain', join(folder.path, 'input.json')]
    const { printed } = await runPolicy(args)
    expect(printed).toMatch(
      /nearly fired[^]*R084 .*\n +line \d+: .*\n[^]* R040 R042 .*of two conditions each/,
    )
    const { nearly } = (await runPolicyJson(args)).json as Explanation
    expect(nearly.find(({ id }) => id === 'R040')?.missing.map(({ text }) => text)).toEqual(['controlled'])
  })

  it('marks a rule that fired in report mode, and denied nothing', async () => {
    const [, byNight] = await readSmallCases()
    await using folder = await policyFolder({
      ...SMALL_POLICY,
      'gateway/decision.rego': REPORTING_RULES,
      'input.json': JSON.stringify(byNight?.input),
    })
    await runPolicy(['build', '--directory', folder.path])
    const args = ['explain', join(folder.path, 'input.json'), '--bundle', join(folder.path, 'bundle.tar.gz')]
    const { printed } = await runPolicy(args)
    expect(printed).toContain('decision  allow\nrisk      0\nreported  hours.closed\n')
    expect(printed).toMatch(/R043 .*reported only\n/)
  })

  it('refuses what is no input, and says why', async () => {
    await using folder = await policyFolder({ 'input.json': '{"v": 1}' })
    const { exitCode, complained } = await runPolicy(['explain', join(folder.path, 'input.json')])
    expect(exitCode).toBe(1)
    expect(complained).toContain('is not version 1 of the input: it must have required property')
    expect((await runPolicy(['explain'])).exitCode).toBe(2)
  })
})

describe('toolgate policy explain, of a call on record', () => {
  it('explains a denial, and says what is not on record', async () => {
    const { callId } = await toolgate.send('PUT', '/github/repos/zyx/platform-infra/pulls/991/merge', {
      body: '{}',
      headers: { 'content-type': 'application/json' },
    })
    const { json } = await runPolicyJson(['explain', callId, '--audit', toolgate.auditDirectory])
    const { fired, open } = json as Explanation
    expect(json).toMatchObject({
      call: {
        id: callId,
        effect: 'deny',
        codes: expect.arrayContaining(['operation.not_granted']) as unknown,
      },
      not_on_record: expect.arrayContaining(['input.params.body', 'input.time']) as unknown,
    })
    expect(ids(fired)).toContain('R020')
    expect(ids(open)).not.toContain('R010')
  })

  it('leaves open what another policy would make of a fact that nobody recorded', async () => {
    await using folder = await policyFolder(SMALL_POLICY)
    await runPolicy(['build', '--directory', folder.path])
    const { callId } = await toolgate.send('POST', '/github/repos/zyx/platform-infra/issues/991/comments', {
      body: '{"body":"hello"}',
      headers: { 'content-type': 'application/json' },
    })
    const bundle = join(folder.path, 'bundle.tar.gz')
    const { printed } = await runPolicy([
      'explain',
      callId,
      '--bundle',
      bundle,
      '--audit',
      toolgate.auditDirectory,
    ])
    expect(printed).toContain('decided by another policy: sha256:')
    expect(printed).toMatch(/open: .*\n {2}R043 .* input\.time\.business_hours\n/)
  })

  it('says that a call is not on record', async () => {
    const { exitCode, complained } = await runPolicy([
      'explain',
      'nothing',
      '--audit',
      toolgate.auditDirectory,
    ])
    expect(exitCode).toBe(1)
    expect(complained).toContain('nothing is not in ')
  })
})
