import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { digestOf } from '../../../gateway/policy/bundles/bundle.ts'
import { openBundles } from '../../../gateway/policy/bundles/open-bundles.ts'
import { serviceConfig, startBundleServer } from '../../harness/bundle-server.ts'
import { allows, compileRules, startPolicy } from '../../harness/opa.ts'
import { bundleOf, createBundleKey, dataBundle, entriesOf } from '../../harness/signed-bundle.ts'
import type { TemporaryDirectory } from '../../harness/temporary-directory.ts'
import { agents, friends, nobody, part, refusal, ROOTS, RULES, rules, writeAgents } from './agents-bundle.ts'

let folder: TemporaryDirectory
let agentsPath: string
beforeEach(async () => {
  ;({ folder, agentsPath } = await writeAgents())
})
afterEach(() => folder[Symbol.asyncDispose]())

describe('a bundle of data', () => {
  test('is merged under its roots, every number in the text it has', async () => {
    const exact = await friends('{"friend": {"limit": 2.50, "id": 9007199254740993, "rate": 1e2}}')
    const { data } = await openBundles([part('policy', rules), part('agents', exact)])
    expect(String(data)).toBe(
      '{"registry":{"agents":{"friend":{"id":9007199254740993,"limit":2.50,"rate":1e2}}}}',
    )
  })

  test('is part of what the policy knows, and of its digest', async () => {
    await using running = await startPolicy(rules, { data: { agents: { bundlePath: agentsPath } } })
    const { policy } = running
    expect(allows(policy)).toBe(true)
    const pairs = [
      ['agents', digestOf(agents)],
      ['policy', digestOf(rules)],
    ]
    expect(policy.digest).toBe(`sha256:${createHash('sha256').update(JSON.stringify(pairs)).digest('hex')}`)
    expect(policy.revision).toBe('rules')
    expect(policy.bundles).toEqual([
      { name: 'policy', revision: 'rules', digest: digestOf(rules), roots: ROOTS },
      { name: 'agents', revision: 'friends', digest: digestOf(agents), roots: ['registry/agents'] },
    ])
    expect(policy.status().bundles).toMatchObject([
      { name: 'policy', sizeBytes: rules.length, source: { kind: 'file' } },
      { name: 'agents', sizeBytes: agents.length, source: { location: agentsPath, httpStatus: undefined } },
    ])
  })

  test('is in force soon after its file was written, with the rules as they were', async () => {
    await using running = await startPolicy(rules, {
      watch: true,
      data: { agents: { bundlePath: agentsPath } },
    })
    await writeFile(agentsPath, nobody)
    await vi.waitFor(() => expect(allows(running.policy)).toBe(false), { timeout: 5000 })
    expect(running.policy.bundles.map(({ revision }) => revision)).toEqual(['rules', 'nobody'])
    expect(running.events.at(-1)).toMatchObject({ type: 'activated', behind: 0 })
  })

  test('that is bad leaves everything in force in place, and is named', async () => {
    await using running = await startPolicy(rules, { data: { agents: { bundlePath: agentsPath } } })
    const { policy, file } = running
    const { digest } = policy
    await writeFile(agentsPath, agents.subarray(0, 60))
    await expect(policy.reload()).resolves.toBe('rejected')
    expect(policy.digest).toBe(digest)
    expect(policy.status().rejected).toMatchObject({ bundle: 'agents', problem: 'archive' })
    expect(running.events.at(-1)).toMatchObject({ type: 'rejected', bundle: 'agents', problem: 'archive' })

    // The bad one holds no good one up, and none of the two is forgotten.
    await file.write(await compileRules(RULES, { revision: 'rules 2', roots: ROOTS }))
    await expect(policy.reload()).resolves.toBe('rejected')
    expect(policy.bundles.map(({ revision }) => revision)).toEqual(['rules 2', 'friends'])
    expect(running.events.findLast(({ type }) => type === 'activated')).toMatchObject({ behind: 1 })
    await writeFile(agentsPath, agents)
    await expect(policy.reload()).resolves.toBe('unchanged')
    expect(running.events.at(-1)).toMatchObject({ type: 'confirmed', bundle: 'agents', behind: 0 })
  })

  test('has to be there at a start, like the rules', async () => {
    const missing = { data: { agents: { bundlePath: join(folder.path, 'missing') } } }
    await expect(startPolicy(rules, missing)).rejects.toMatchObject({
      problem: 'unreadable',
      bundle: 'agents',
    })
  })

  test('that was kept is used at a start while its service is down', async () => {
    const service = await startBundleServer(agents)
    const data = { agents: { bundlePath: '', service: serviceConfig(service.url, folder.path) } }
    await (await startPolicy(rules, { data, watch: true }))[Symbol.asyncDispose]()
    await service[Symbol.asyncDispose]()
    await using running = await startPolicy(rules, { data, watch: true })
    expect(allows(running.policy)).toBe(true)
    expect(running.policy.status()).toMatchObject({
      kept: true,
      bundles: [{ kept: false }, { kept: true, rejected: { problem: 'service' } }],
    })
  })

  test('that was kept does not fit newer rules: then those that were kept with it are used as well', async () => {
    await using rulesService = await startBundleServer(rules)
    const dataService = await startBundleServer(agents)
    const options = {
      watch: true,
      service: serviceConfig(rulesService.url, folder.path),
      data: { agents: { bundlePath: '', service: serviceConfig(dataService.url, folder.path) } },
    }
    await (await startPolicy(rules, options))[Symbol.asyncDispose]()
    await dataService[Symbol.asyncDispose]()
    rulesService.publish(await compileRules(RULES, { revision: 'all', data: { agents: {} } }))
    await using running = await startPolicy(rules, options)
    expect(running.policy.revision).toBe('rules')
    expect(allows(running.policy)).toBe(true)
    expect(running.policy.status().bundles).toMatchObject([
      { kept: true, rejected: { problem: 'roots' } },
      { kept: true, rejected: { problem: 'service' } },
    ])
  })

  test('whose service holds its answer back holds no other up', async () => {
    await using service = await startBundleServer(agents, { longPoll: true })
    const config = serviceConfig(service.url, folder.path, { longPollMs: 600_000 })
    const data = { agents: { bundlePath: '', service: config } }
    await using running = await startPolicy(rules, { data, watch: true })
    await service.received(2)
    await running.file.write(await compileRules(RULES, { revision: 'rules 2', roots: ROOTS }))
    await vi.waitFor(() => expect(running.policy.revision).toBe('rules 2'), { timeout: 5000 })
    service.publish(nobody)
    await vi.waitFor(() => expect(allows(running.policy)).toBe(false), { timeout: 5000 })
  })

  test('is believed for its own signature alone', async () => {
    const [ours, theirs] = [createBundleKey('ES256'), createBundleKey('ES256')]
    const keyFile = join(folder.path, 'agents.pem')
    await writeFile(keyFile, ours.publicPem)
    const verification = { keyFile, algorithm: 'ES256', scope: '', keyId: undefined } as const
    const data = { agents: { bundlePath: agentsPath, verification } }
    await writeFile(agentsPath, await dataBundle({ roots: { 'registry/agents': '{}' }, key: ours }))
    await using running = await startPolicy(rules, { data })
    for (const bundle of [
      agents,
      await dataBundle({ roots: { 'registry/agents': '{"friend": true}' }, key: theirs }),
    ]) {
      await writeFile(agentsPath, bundle)
      await expect(running.policy.reload()).resolves.toBe('rejected')
      expect(running.policy.status().rejected).toMatchObject({ bundle: 'agents', problem: 'signature' })
      expect(allows(running.policy)).toBe(false)
    }
  })

  test('of tens of thousands of agents is read whole, however many values that is, when it is signed', async () => {
    const key = createBundleKey('RS256')
    const keyFile = join(folder.path, 'agents.pem')
    await writeFile(keyFile, key.publicPem)
    const many = Array.from(
      { length: 30_000 },
      (_, at) => `"agent-${at}": {"tenant": "zyx", "roles": {"a": 1.0, "b": 2e0}}`,
    )
    const roots = { 'registry/agents': `{${many.join(',')}, "friend": true}` }
    await writeFile(agentsPath, await dataBundle({ roots, key }))
    const verification = { keyFile, algorithm: 'RS256', scope: '', keyId: undefined } as const
    await using running = await startPolicy(rules, {
      data: { agents: { bundlePath: agentsPath, verification } },
    })
    expect(allows(running.policy)).toBe(true)
  })

  test('whose signature ended while it was in force does not keep other bundles out', async () => {
    const key = createBundleKey('ES256')
    const keyFile = join(folder.path, 'agents.pem')
    await writeFile(keyFile, key.publicPem)
    const verification = { keyFile, algorithm: 'ES256', scope: '', keyId: undefined } as const
    let nowMs = 1_000_000
    const clock = { nowMs: () => nowMs, monotonicMs: () => 0 }
    const roots = { 'registry/agents': '{"friend": true}' }
    await writeFile(agentsPath, await dataBundle({ roots, key, claims: { exp: 1_001 } }))
    const data = { agents: { bundlePath: agentsPath, verification } }
    await using running = await startPolicy(rules, { data, watch: true, restatMs: 60_000, clock })
    nowMs = 2_000_000
    await running.file.write(await compileRules(RULES, { revision: 'rules 2', roots: ROOTS }))
    await vi.waitFor(() => expect(running.policy.revision).toBe('rules 2'), { timeout: 5000 })
    expect(allows(running.policy)).toBe(true)
  })
})

test.each<[string, Readonly<Record<string, string>>, string]>([
  ['a module', { 'policy.wasm': 'wasm' }, 'archive'],
  ['rules', { 'registry/agents.rego': 'package registry.agents\n' }, 'archive'],
  [
    'a module by name',
    { '.manifest': '{"revision":"r","roots":["a"],"wasm":[{"module":"/policy.wasm"}]}' },
    'manifest',
  ],
  ['data outside of its roots', { 'data.json': '{"registry":{"roles":{}}}' }, 'data'],
  ['a name that reads like a root', { 'data.json': '{"registry/agents":{"friend":true}}' }, 'data'],
  ['a name twice', { 'data.json': '{"registry":{"agents":{"a":1,"a":2}}}' }, 'data'],
])('a bundle of data with %s is refused', async (_, files, problem) => {
  const altered = bundleOf(new Map<string, string | Buffer>([...entriesOf(agents), ...Object.entries(files)]))
  expect(await refusal(part('agents', altered))).toMatchObject({ problem, bundle: 'agents' })
})
