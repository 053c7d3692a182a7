import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { showConfig } from '../../gateway/config/show.ts'
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

/** Those who write rules hold no credentials of the gateway. */
const NO_SECRETS = { github: { credential: { type: 'none' } } }

const RULES = SMALL_POLICY['gateway/decision.rego'] ?? ''
const RISKIER_RULES = RULES.replace('"risk": 0', '"risk": 1')

/** Bundles before and after a change of the small policy, and its cases. */
async function twoBundles(changed: Readonly<Record<string, string>>) {
  const folder = await policyFolder(SMALL_POLICY)
  const [before, after] = [join(folder.path, 'old.tar.gz'), join(folder.path, 'new.tar.gz')]
  await runPolicy(['build', '--directory', folder.path, '--out', before])
  for (const [name, content] of Object.entries(changed)) await folder.write(name, content)
  const built = await runPolicy(['build', '--directory', folder.path, '--out', after])
  if (built.exitCode !== 0) throw new Error(built.complained)
  const args = ['diff', before, after, '--cases', join(folder.path, 'cases')]
  return { args, before, after, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

describe('toolgate policy diff, of cases', () => {
  it.each([
    ['allow to deny', { 'data/registry/agents/data.json': '{}' }, ['writes.yaml #1', 'writes.yaml #2']],
    [
      'deny to allow',
      { 'gateway/decision.rego': RULES.replace('not input.time', 'input.tenant == "x"; not input.time') },
      ['writes.yaml #2'],
    ],
    ['changed', { 'gateway/decision.rego': RISKIER_RULES }, ['writes.yaml #1', 'writes.yaml #2']],
    [
      'error',
      {
        'gateway/decision.rego': RULES.replace('"hours.closed"', 'code').replace(
          '	not input.time',
          '	code := {"a": "hours.shut"}[input.agent.id]\n	not input.time',
        ),
      },
      ['writes.yaml #2'],
    ],
  ])('lists what goes from %s', async (kind, changed, ids) => {
    await using bundles = await twoBundles(changed)
    const { exitCode, json } = await runPolicyJson(bundles.args)
    const { flips } = json as { flips: readonly { kind: string; id: string }[] }
    expect(exitCode).toBe(0)
    expect(flips.map(({ id }) => id)).toEqual(ids)
    expect(flips.map((flip) => flip.kind)).toContain(kind)
  })

  it('shows what is reported where it was denied', async () => {
    await using bundles = await twoBundles({ 'gateway/decision.rego': REPORTING_RULES })
    const { printed } = await runPolicy(bundles.args)
    expect(printed).toContain('deny → allow: 1')
    expect(printed).toMatch(
      /- deny, risk 0, hours\.closed \(R043\)\n +\+ allow, risk 0, reports hours\.closed \(R043\)\n/,
    )
  })

  it('compares data that is in a bundle of its own, beside the rules', async () => {
    await using folder = await policyFolder(SMALL_POLICY)
    const [rules, before, after] = ['rules', 'before', 'after'].map((name) =>
      join(folder.path, `${name}.tar.gz`),
    )
    const build = async (...more: string[]): Promise<void> => {
      const { exitCode, complained } = await runPolicy(['build', '--directory', folder.path, ...more])
      if (exitCode !== 0) throw new Error(complained)
    }
    await build('--out', String(rules), '--without', 'registry/agents')
    await build('--out', String(before), '--only', 'registry/agents')
    await folder.write('data/registry/agents/data.json', '{}')
    await build('--out', String(after), '--only', 'registry/agents')
    const cases = ['--cases', join(folder.path, 'cases'), '--data', `agents=${before}`]
    const same = await runPolicyJson(['diff', String(rules), String(rules), ...cases])
    expect(same.json).toMatchObject({ flips: [] })
    const { json } = await runPolicyJson([
      'diff',
      String(rules),
      String(rules),
      ...cases,
      '--new-data',
      `agents=${after}`,
    ])
    expect(json).toMatchObject({ flips: [{ kind: 'allow to deny' }, { kind: 'changed' }] })
    expect((await runPolicy(['diff', String(rules), String(rules), '--data', 'agents'])).exitCode).toBe(1)
  })

  it('finds nothing between a bundle and itself, and can be told to fail where it finds something', async () => {
    await using bundles = await twoBundles({ 'gateway/decision.rego': RISKIER_RULES })
    const same = await runPolicy([
      'diff',
      bundles.before,
      bundles.before,
      ...bundles.args.slice(3),
      '--exit-code',
    ])
    expect(same).toMatchObject({ exitCode: 0, printed: '2 cases, 0 recorded calls: 0 decided differently\n' })
    expect((await runPolicy([...bundles.args, '--exit-code'])).exitCode).toBe(1)
    expect((await runPolicy(['diff', bundles.before])).exitCode).toBe(2)
  })
})

describe('toolgate policy diff, of a record', () => {
  let toolgate: TestGateway
  let callId: string
  beforeAll(async () => {
    toolgate = await startTestGateway({ settings: WITHOUT_DISCLOSURES })
    callId = (await toolgate.send('GET', '/github/repos/zyx/platform-infra/pulls/991')).callId
  })
  afterAll(() => toolgate[Symbol.asyncDispose]())

  async function committedAnd(changed: (rules: string) => string) {
    const folder = await policyFolder({})
    await cp(POLICIES_DIRECTORY, folder.path, { recursive: true })
    await folder.write(
      'toolgate.yaml',
      JSON.stringify({ ...(showConfig(toolgate.loaded) as object), connectors: NO_SECRETS }),
    )
    const path = 'gateway/caller.rego'
    await folder.write(path, changed(await readFile(join(folder.path, path), 'utf8')))
    const out = join(folder.path, 'new.tar.gz')
    const { exitCode, complained } = await runPolicy(['build', '--directory', folder.path, '--out', out])
    if (exitCode !== 0) throw new Error(complained)
    const args = [
      'diff',
      join(POLICIES_DIRECTORY, 'bundle.tar.gz'),
      out,
      '--cases',
      join(folder.path, 'none'),
    ]
    return {
      args: [...args, '--audit', toolgate.auditDirectory, '--config', join(folder.path, 'toolgate.yaml')],
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    }
  }

  it('names the recorded call that would be denied now', async () => {
    await using bundles = await committedAnd((rules) =>
      rules.replace(
        'not input.principal.device_compliant == true',
        'input.principal.device_compliant == true',
      ),
    )
    const { json } = await runPolicyJson(bundles.args)
    expect(json).toMatchObject({ recorded_calls: 1, flips: [{ kind: 'allow to deny', id: callId }] })
  })

  it('leaves a call out where the new rules read what is not on record, and says so', async () => {
    await using bundles = await committedAnd((rules) =>
      rules.replace('not input.principal.device_compliant == true', 'input.params.body.force == true'),
    )
    const { json } = await runPolicyJson(bundles.args)
    expect(json).toMatchObject({
      recorded_calls: 0,
      recorded_calls_left_out: { 'reads what is not on record': 1 },
      flips: [],
    })
  })
})
