import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startBundleServer } from '../harness/bundle-server.ts'
import { runPolicy } from '../harness/policy-command.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../harness/temporary-directory.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'
const AGENTS = 'registry/agents'
const soon = { timeout: 8_000, interval: 50 }

let folder: TemporaryDirectory
let agents: string
let build: readonly string[]
let rules: Buffer
/** The committed policy, with the agents in a bundle of their own. */
beforeAll(async () => {
  folder = await temporaryDirectory()
  const directory = join(folder.path, 'policies')
  for (const part of ['gateway', 'data', 'schemas']) {
    await cp(join('policies-rego', part), join(directory, part), { recursive: true })
  }
  agents = join(folder.path, 'agents.tar.gz')
  build = ['build', '--directory', directory]
  const out = join(folder.path, 'rules.tar.gz')
  rules = await built(out, '--without')
  await built(agents, '--only')
})
afterAll(() => folder[Symbol.asyncDispose]())

/** The bundle of the agents with one more. */
async function withAgent(id: string): Promise<Buffer> {
  const file = join(folder.path, 'policies', 'data', AGENTS, 'data.json')
  const known = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
  await writeFile(file, JSON.stringify({ ...known, [id]: known['change-review-agent'] }))
  return built(join(folder.path, `${id}.tar.gz`), '--only')
}

async function built(out: string, option: '--without' | '--only'): Promise<Buffer> {
  const { exitCode, complained } = await runPolicy([...build, '--out', out, option, AGENTS])
  if (exitCode !== 0) throw new Error(complained)
  return readFile(out)
}

const callBy = (toolgate: TestGateway, agent: string) =>
  toolgate.send('GET', PULL, { token: toolgate.token({ claims: { client_id: agent } }) })

it('an agent that a team adds to its own file of data may call within a second', async () => {
  const path = join(folder.path, 'live.tar.gz')
  await writeFile(path, await readFile(agents))
  await using toolgate = await startTestGateway({
    bundle: rules,
    settings: { policy: { data: { agents: { bundle: path, roots: [AGENTS] } } } },
  })
  expect((await callBy(toolgate, 'change-review-agent')).status).toBe(200)
  expect(await callBy(toolgate, 'night-agent')).toMatchObject({ code: 'policy.denied' })

  const added = await withAgent('night-agent')
  await writeFile(path, added)
  const addedMs = performance.now()
  await vi.waitFor(async () => expect((await callBy(toolgate, 'night-agent')).status).toBe(200), soon)
  const loaded = (await toolgate.logLines()).filter(({ event }) => event === 'policy.loaded')
  expect(loaded).toHaveLength(2)
  // Of the second, a busy machine may take some more; loading itself never takes that long.
  expect(performance.now() - addedMs).toBeLessThan(2_000)
  expect(String(loaded.at(-1)?.['bundles'])).toMatch(/^policy \S+, agents \S+$/)
})

it('the record names every bundle that decided, and a bad one is named in status, log and metric', async () => {
  await using service = await startBundleServer(await readFile(agents), { longPoll: true })
  await using toolgate = await startTestGateway({
    bundle: rules,
    settings: {
      policy: {
        data: {
          agents: {
            service: {
              url: service.url,
              resource: 'bundles/agents',
              longPollMs: 60_000,
              directory: join(folder.path, 'kept'),
            },
          },
        },
      },
    },
  })
  expect((await callBy(toolgate, 'change-review-agent')).status).toBe(200)
  const started = (await toolgate.records()).find((entry) => entry.type === 'config')
  expect(started).toMatchObject({ bundles: [{ name: 'policy' }, { name: 'agents' }] })

  await service.received(2)
  service.publish(Buffer.from('no bundle'))
  const policyOf = (): unknown => (toolgate.gateway.status() as { policy: unknown }).policy
  await vi.waitFor(
    () =>
      expect(policyOf()).toMatchObject({
        rejected: { bundle: 'agents', problem: 'archive' },
        bundles: [
          { name: 'policy', rejected: undefined },
          { name: 'agents', source: { httpStatus: 200 } },
        ],
      }),
    soon,
  )
  expect(await toolgate.metric('toolgate_policy_rejections_total', { problem: 'archive' })).toBe(1)
  expect(await toolgate.metric('toolgate_policy_last_reload_successful')).toBe(0)
  await vi.waitFor(async () => {
    const line = (await toolgate.logLines()).find(({ event }) => event === 'policy.rejected')
    expect(line).toMatchObject({ bundle: 'agents', detail: 'archive' })
  }, soon)
  expect((await callBy(toolgate, 'change-review-agent')).status).toBe(200)
})
