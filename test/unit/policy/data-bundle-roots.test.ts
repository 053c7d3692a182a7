import { writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openBundles } from '../../../gateway/policy/bundles/open-bundles.ts'
import { allows, compileRules, startPolicy } from '../../harness/opa.ts'
import { bundleOf, dataBundle, entriesOf } from '../../harness/signed-bundle.ts'
import type { TemporaryDirectory } from '../../harness/temporary-directory.ts'
import { agents, part, refusal, RULES, rules, writeAgents } from './agents-bundle.ts'

let folder: TemporaryDirectory
let agentsPath: string
beforeEach(async () => {
  ;({ folder, agentsPath } = await writeAgents())
})
afterEach(() => folder[Symbol.asyncDispose]())

describe('roots', () => {
  test.each<[string, string, string]>([
    ['of another bundle', 'registry/agents', 'overlaps registry/agents, which belongs to the bundle agents'],
    ['below those of another', 'registry/agents/eu', 'overlaps registry/agents'],
    ['above those of another', 'registry', 'overlaps'],
    ['of the rules', 'registry/roles', 'overlaps registry/roles, which belongs to the bundle with the rules'],
    ['for rules', 'gateway/decision', 'is for rules'],
    ['for rules of OPA itself', 'system/log', 'is for rules'],
  ])('%s are refused', async (_, root, message) => {
    const other = await dataBundle({ roots: { [root]: '{"friend": true}' } })
    const error = await refusal(part('agents', agents), part('other', other))
    expect(error).toMatchObject({ problem: 'roots', bundle: 'other' })
    expect(error.message).toContain(message)
  })

  test('of the rules have to cover every package, so that no data can come to lie below one', async () => {
    const altered = bundleOf([...entriesOf(rules), ['guests.rego', '# guests\npackage registry.guests\n']])
    const guests = await dataBundle({ roots: { 'registry/guests': '{"friend": true}' } })
    const error = await openBundles([part('policy', altered), part('guests', guests)]).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({ problem: 'roots', bundle: 'policy' })
  })

  test('are only those that the configuration allows, where it does', async () => {
    const error = await refusal(part('agents', agents, ['registry/guests']))
    expect(error).toMatchObject({ problem: 'roots', bundle: 'agents' })
    expect((await refusal(part('agents', agents, ['registry']))).message).toBe('was not refused')
    expect((await refusal(part('agents', agents, ['registry/agent']))).problem).toBe('roots')
  })

  test('that move from one bundle to another come into force with both', async () => {
    await writeFile(agentsPath, await dataBundle({ roots: { 'registry/guests': '{}' } }))
    const all = await compileRules(RULES, {
      revision: 'all',
      data: { agents: { friend: true } },
      roots: ['gateway', 'registry/agents'],
    })
    await using running = await startPolicy(all, {
      watch: true,
      restatMs: 20,
      data: { agents: { bundlePath: agentsPath } },
    })
    const { policy, file } = running
    await writeFile(agentsPath, agents)
    await vi.waitFor(() => expect(policy.status().rejected?.problem).toBe('roots'), { timeout: 5000 })
    await file.write(rules)
    await vi.waitFor(() => expect(policy.revision).toBe('rules'), { timeout: 5000 })
    expect(policy.bundles.map(({ revision }) => revision)).toEqual(['rules', 'friends'])
    expect(policy.status().rejected).toBeUndefined()
    expect(allows(policy)).toBe(true)
  })
})
