import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  policyFolder,
  REPORTING_RULES,
  runPolicy,
  runPolicyJson,
  SMALL_POLICY,
} from '../harness/policy-command.ts'

const RULES = SMALL_POLICY['gateway/decision.rego'] ?? ''
const CASES = SMALL_POLICY['cases/writes.yaml'] ?? ''

describe('toolgate policy test', () => {
  it('passes a folder in which everything is in order', async () => {
    await using folder = await policyFolder(SMALL_POLICY)
    const { exitCode, printed } = await runPolicy(['test', '--directory', folder.path])
    expect(printed.match(/^ok/gm)).toHaveLength(5)
    expect(exitCode).toBe(0)
  })

  it('shows what a case expected and what was decided', async () => {
    const wrong = CASES.replace('effect: allow', 'effect: deny, reasons: [operation.not_granted]')
    await using folder = await policyFolder({ ...SMALL_POLICY, 'cases/writes.yaml': wrong })
    const { exitCode, printed } = await runPolicy(['test', '--directory', folder.path])
    expect(exitCode).toBe(1)
    expect(printed).toMatch(
      /writes\.yaml #1 the agent: a write\n +effect +- expected deny\n +\+ got +allow\n/,
    )
    expect(printed).toMatch(/reasons +- expected operation\.not_granted\n +\+ got +none\n/)
  })

  it('demands that a case says what rules in report mode report', async () => {
    const tried = CASES.replace(/effect: deny\n.*\n/, 'effect: allow\n')
    const files = { ...SMALL_POLICY, 'gateway/decision.rego': REPORTING_RULES, 'cases/writes.yaml': tried }
    await using folder = await policyFolder(files)
    const { printed } = await runPolicy(['test', '--directory', folder.path])
    expect(printed).toMatch(/reported +- expected none\n +\+ got +hours\.closed\n/)
    await folder.write('cases/writes.yaml', `${tried}  reported: [hours.closed]\n`)
    const { json } = await runPolicyJson(['test', '--directory', folder.path])
    expect(json).toMatchObject({ checks: expect.arrayContaining([expect.objectContaining({ cases: [] })]) })
  })

  it('lists every kind of failure in one run', async () => {
    await using folder = await policyFolder({
      ...SMALL_POLICY,
      'gateway/decision.rego': RULES.replace('input.agent.id][', 'input.agnt.id][').replace(
        'allow if',
        'allow  if',
      ),
    })
    const { exitCode, json } = await runPolicyJson(['test', '--directory', folder.path])
    expect(exitCode).toBe(1)
    expect(json).toMatchObject({
      ok: false,
      checks: [
        { name: 'format', failures: ['gateway/decision.rego is not as opa fmt writes it'] },
        {
          name: 'strict check',
          failures: expect.arrayContaining([expect.stringContaining('agnt')]) as unknown,
        },
        { name: 'tests', failures: [expect.stringMatching(/decision_test\.rego:\d+ test_allows/)] },
        { name: 'coverage' },
        { name: 'cases', cases: [{ id: 'writes.yaml #1' }, { id: 'writes.yaml #2' }] },
      ],
    })
  })

  it('demands the coverage that it was told, and says which lines lack it', async () => {
    const untested = `${RULES}\nspare if input.tenant == "x"\n`
    await using folder = await policyFolder({ ...SMALL_POLICY, 'gateway/decision.rego': untested })
    const { exitCode, printed } = await runPolicy(['test', '--directory', folder.path, '--coverage', '100'])
    expect({ exitCode, printed }).toEqual({
      exitCode: 1,
      printed: expect.stringMatching(
        /100 % are demanded\n.*decision\.rego:\d+ is reached by no test/,
      ) as unknown,
    })
    expect((await runPolicy(['test', '--directory', folder.path])).exitCode).toBe(0)
  })

  it('names every case that is not one, with its place', async () => {
    const rows = `- { caller: nobody here, operation: a write, effect: allow }
- { caller: the agent, operation: a write, effect: allow, with: { tenant: 7 } }
`
    await using folder = await policyFolder({ ...SMALL_POLICY, 'cases/writes.yaml': rows })
    const { printed } = await runPolicy(['test', '--directory', folder.path])
    expect(printed).toContain('writes.yaml #1 names a caller that is not there: nobody here')
    expect(printed).toContain('writes.yaml #2 makes an input that is not one: tenant must be string')
  })

  it('colours its words on a terminal alone, and not where that is unwanted', async () => {
    await using folder = await policyFolder(SMALL_POLICY)
    const args = ['test', '--directory', folder.path]
    const [plain, coloured, unwanted] = await Promise.all([
      runPolicy(args),
      runPolicy(args, { isTerminal: true }),
      runPolicy(args, { isTerminal: true, environment: { NO_COLOR: '1' } }),
    ])
    expect(stripVTControlCharacters(plain.printed)).toBe(plain.printed)
    expect(stripVTControlCharacters(coloured.printed)).not.toBe(coloured.printed)
    expect(unwanted.printed).toBe(plain.printed)
  })

  it('takes no percentage but one', async () => {
    expect((await runPolicy(['test', '--coverage', 'all'])).exitCode).toBe(2)
  })
})
