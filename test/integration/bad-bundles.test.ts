import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { BundleConfig } from '../../gateway/config/policy-config.ts'
import { type BundleServer, startBundleServer } from '../harness/bundle-server.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { ALLOW_EVERYTHING } from '../harness/permissive-rules.ts'
import { bundleOf, createBundleKey, dataBundle, entriesOf, signedBundle } from '../harness/signed-bundle.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../harness/temporary-directory.ts'
import { until } from '../harness/until.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'
const soon = { timeout: 12_000, interval: 25 }
const key = createBundleKey('ES256')
const stranger = createBundleKey('ES256')

interface Bad {
  readonly what: string
  /** Of the bundle with the rules, or that of the agents' data. */
  readonly bundle: 'policy' | 'agents'
  readonly problem: string
  /** Part of the reason that is given. */
  readonly reason: string
  make(): Promise<Buffer> | Buffer
}

const roots = ['gateway', 'registry/roles']
const rules = (more: Partial<Parameters<typeof signedBundle>[0]> = {}): Promise<Buffer> =>
  signedBundle({ key, rules: ALLOW_EVERYTHING, revision: 'bad', roots, registry: '{"roles": {}}', ...more })
const agents = (root = 'registry/agents', by = key): Promise<Buffer> =>
  dataBundle({ roots: { [root]: '{}' }, revision: 'bad', key: by })
const OVERSIZED = Buffer.alloc(33_554_433)
const TOO_MUCH = 'more than|larger than'
const CLOSED = '{"allow": false, "risk": 0, "reasons": [], "obligations": []}'
const nobody = (decision: string): string => `decision := ${decision}`
const allowed = (builtin: string): string => `${ALLOW_EVERYTHING}\nunknown := ${builtin}\n`

/** The bundle with one file replaced, or left out. */
function altered(bundle: Buffer, name: string, content?: string): Buffer {
  const entries = new Map<string, string | Buffer>(entriesOf(bundle))
  entries.delete(name)
  return bundleOf(content === undefined ? entries : entries.set(name, content))
}

/** All of them made and signed by the real `opa`, but for what is the matter with them. */
const BAD: readonly Bad[] = [
  bad('unsigned', 'signature', 'not signed', async () => {
    return altered(await rules(), '.signatures.json')
  }),
  bad('signed by another key', 'signature', 'configured key', () => rules({ key: stranger })),
  bad('signed for another scope', 'signature', 'scope', () => rules({ scope: 'staging' })),
  bad('altered after it was signed', 'signature', 'not what was signed', async () => {
    return altered(await rules(), 'data.json', '{"registry":{"roles":{"root":true}}}')
  }),
  bad('truncated', 'archive', 'cut short', async () => (await rules()).subarray(0, -200)),
  bad('oversized', 'archive', TOO_MUCH, () => OVERSIZED),
  bad('rooted where another bundle is', 'roots', 'overlaps', () => rules({ roots: ['gateway', 'registry'] })),
  bad('without the entrypoint', 'entrypoint', 'gateway/decision/decision', () => {
    const renamed = nobody(CLOSED).replace('decision', 'verdict')
    return rules({ rules: renamed, entrypoint: 'gateway/decision/verdict' })
  }),
  bad('in want of a builtin', 'builtin', 'time.now_ns', () => {
    return rules({ rules: allowed('time.now_ns()').replace('input.agent.id != ""', 'unknown > 0') })
  }),
  bad('allowing a call by nobody', 'self_test', 'nobody', () => {
    return rules({ rules: nobody('{"allow": true, "risk": 0, "reasons": [], "obligations": []}') })
  }),
  bad('returning nonsense', 'self_test', 'policy.invalid', () => rules({ rules: nobody('"yes"') })),
  bad('throwing', 'self_test', 'policy.error', () => {
    return rules({ rules: `${nobody('1 if input.v == 1')}\n${nobody('2 if input.v > 0')}` })
  }),
  bad(
    'unsigned data',
    'signature',
    'not signed',
    () => dataBundle({ roots: { 'registry/agents': '{}' } }),
    'agents',
  ),
  bad(
    'data signed by another key',
    'signature',
    'configured key',
    () => agents('registry/agents', stranger),
    'agents',
  ),
  bad('truncated data', 'archive', 'cut short', async () => (await agents()).subarray(0, -20), 'agents'),
  bad('data for other roots than allowed', 'roots', 'allows', () => agents('registry/tenants'), 'agents'),
  bad('data where rules are', 'roots', 'for rules', () => agents('gateway/grants'), 'agents'),
  bad('rules in place of data', 'archive', 'no part', () => rules(), 'agents'),
]

function bad(
  what: string,
  problem: string,
  reason: string,
  make: Bad['make'],
  bundle: Bad['bundle'] = 'policy',
): Bad {
  return { what, bundle, problem, reason, make }
}

interface Status {
  readonly revision: string
  readonly digest: string
  readonly rejected:
    { readonly bundle: string; readonly problem: string; readonly message: string } | undefined
}
const policyOf = ({ gateway }: TestGateway): Status => (gateway.status() as { policy: Status }).policy

/** As often as no configuration may: a table of many rows waits for each. */
async function pollOften({ gateway, loaded }: TestGateway): Promise<void> {
  const often = <T extends BundleConfig>(bundle: T): T => {
    const { service } = bundle
    return service === undefined
      ? bundle
      : { ...bundle, service: { ...service, pollMinMs: 50, pollMaxMs: 100 } }
  }
  const { policy } = loaded
  const data = Object.entries(policy.data).map(([name, bundle]) => [name, often(bundle)])
  await gateway.reload(() => ({ ...loaded, policy: { ...often(policy), data: Object.fromEntries(data) } }))
}

/** A place where bundles are put: files that a gateway watches, or services that it polls. */
interface Place extends AsyncDisposable {
  readonly settings: Readonly<Record<'policy' | 'agents', object>>
  put(bundle: Bad['bundle'], bytes: Buffer): Promise<void>
}

let folder: TemporaryDirectory
let good: Readonly<Record<Bad['bundle'], Buffer>>
beforeAll(async () => {
  folder = await temporaryDirectory()
  await writeFile(join(folder.path, 'verify.pem'), key.publicPem)
  good = { policy: await rules({ revision: 'good' }), agents: await agents() }
})
afterAll(() => folder[Symbol.asyncDispose]())

async function files(): Promise<Place> {
  const pathOf = (bundle: string): string => join(folder.path, `${bundle}.tar.gz`)
  const put: Place['put'] = async (bundle, bytes) => {
    await writeFile(`${pathOf(bundle)}.next`, bytes)
    await rename(`${pathOf(bundle)}.next`, pathOf(bundle))
  }
  await put('policy', good.policy)
  await put('agents', good.agents)
  return {
    settings: { policy: { bundle: pathOf('policy') }, agents: { bundle: pathOf('agents') } },
    put,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

async function services(): Promise<Place> {
  const servers: Record<Bad['bundle'], BundleServer> = {
    policy: await startBundleServer(good.policy),
    agents: await startBundleServer(good.agents),
  }
  const settings = (bundle: Bad['bundle']): object => ({
    service: {
      url: servers[bundle].url,
      resource: bundle,
      pollMinMs: 1_000,
      pollMaxMs: 1_000,
      directory: join(folder.path, 'kept'),
    },
  })
  return {
    settings: { policy: settings('policy'), agents: settings('agents') },
    put: async (bundle, bytes) => servers[bundle].publish(bytes),
    async [Symbol.asyncDispose]() {
      await servers.policy[Symbol.asyncDispose]()
      await servers.agents[Symbol.asyncDispose]()
    },
  }
}

describe.each([
  ['in a file', files],
  ['from a service', services],
] as const)('a bundle %s', (_, open) => {
  let place: Place
  let toolgate: TestGateway
  beforeAll(async () => {
    place = await open()
    const verification = { keyFile: join(folder.path, 'verify.pem'), algorithm: 'ES256' }
    toolgate = await startTestGateway({
      settings: {
        policy: {
          ...place.settings.policy,
          verification,
          data: { agents: { ...place.settings.agents, verification, roots: ['registry/agents'] } },
        },
      },
    })
    await pollOften(toolgate)
  })
  afterAll(async () => {
    await toolgate[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })

  /** Whatever went before, nothing is refused any more, and what is good is live. */
  beforeEach(async () => {
    for (const bundle of ['policy', 'agents'] as const) await place.put(bundle, good[bundle])
    await until(() => policyOf(toolgate).revision === 'good' && policyOf(toolgate).rejected === undefined)
  })

  it.each(BAD)('that is $what is refused for it, and what is live decides', async (one) => {
    const { bundle, problem, reason, make } = one
    const { digest } = policyOf(toolgate)
    const rejections = (): Promise<number> => toolgate.metric('toolgate_policy_rejections_total', { problem })
    const before = await rejections()
    await place.put(bundle, await make())
    await vi.waitFor(() => expect(policyOf(toolgate).rejected).toMatchObject({ bundle, problem }), soon)

    expect(policyOf(toolgate)).toMatchObject({ revision: 'good', digest })
    expect(policyOf(toolgate).rejected?.message).toMatch(new RegExp(reason))
    expect(await rejections()).toBeGreaterThan(before)
    expect(await toolgate.metric('toolgate_policy_last_reload_successful')).toBe(0)
    expect((await toolgate.send('GET', PULL)).status).toBe(200)
    await vi.waitFor(async () => {
      const lines = await toolgate.logLines()
      const line = lines.findLast(({ event }) => event === 'policy.rejected')
      expect(line).toMatchObject({ bundle, detail: problem, cause: expect.stringMatching(reason) })
      expect((await toolgate.records()).findLast(({ type }) => type === 'policy')).toMatchObject({
        state: 'rejected',
        bundle,
        problem,
      })
    }, soon)

    await place.put(bundle, good[bundle])
    await vi.waitFor(() => expect(policyOf(toolgate).rejected).toBeUndefined(), soon)
    expect(await toolgate.metric('toolgate_policy_last_reload_successful')).toBe(1)
  })
})
