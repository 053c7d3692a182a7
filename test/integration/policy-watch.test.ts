import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { POLICIES_DIRECTORY } from '../../gateway/policy/authoring/policies-directory.ts'
import { policyFolder } from '../harness/policy-command.ts'
import { freePorts } from '../harness/free-ports.ts'
import { runToolgate, type ToolgateProcess, untilReady } from '../harness/toolgate-process.ts'

const AGENTS = 'data/registry/agents/data.json'

let folder: Awaited<ReturnType<typeof policyFolder>>
let watching: ToolgateProcess
let gateway: ToolgateProcess
let adminPort = 0

beforeAll(async () => {
  folder = await policyFolder({})
  await cp(POLICIES_DIRECTORY, folder.path, { recursive: true })
  const [port = 0, admin = 0] = await freePorts(2)
  adminPort = admin
  const bundle = join(folder.path, 'bundle.tar.gz')
  gateway = runToolgate(['dev', '--port', String(port), '--admin-port', String(admin)], {
    TOOLGATE__POLICY__BUNDLE: bundle,
    TOOLGATE__AUDIT__DIRECTORY: join(folder.path, 'audit'),
  })
  watching = runToolgate(['policy', 'watch', '--directory', folder.path])
  await untilReady(gateway, admin)
})
afterAll(async () => {
  await watching[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

async function liveRevision(): Promise<unknown> {
  const reply = await fetch(`http://127.0.0.1:${adminPort}/admin/v1/status`)
  return JSON.stringify(((await reply.json()) as { policy: unknown }).policy)
}

it(
  'builds what is saved, and the running gateway swaps it in; what does not build changes nothing',
  { timeout: 60_000 },
  async () => {
    await expect.poll(() => watching.output(), { timeout: 20_000 }).toContain('as it was')
    const before = await liveRevision()
    const rules = await readFile(join(folder.path, 'gateway/caller.rego'), 'utf8')
    await folder.write('gateway/caller.rego', 'package gateway.caller\n\ndeny if {')
    await expect.poll(() => watching.output(), { timeout: 10_000 }).toContain('not built')
    expect(await liveRevision()).toBe(before)

    await folder.write('gateway/caller.rego', rules)
    const agents = JSON.parse(await readFile(join(folder.path, AGENTS), 'utf8')) as object
    await folder.write(
      AGENTS,
      JSON.stringify({ ...agents, 'new-agent': Object.values(agents)[0] as unknown }),
    )
    await expect.poll(() => watching.output(), { timeout: 10_000 }).toContain('built ')
    const builtAt = performance.now()
    await expect.poll(liveRevision, { timeout: 5_000, interval: 20 }).not.toBe(before)
    expect(performance.now() - builtAt).toBeLessThan(1_000)
  },
)

it('stops when it is told to', async () => {
  watching.child.kill('SIGTERM')
  expect(await watching.ended).toBe(0)
})
