import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { startAdminFor } from '../../gateway/cli/run-start.ts'
import { type BundleServer, startBundleServer } from '../harness/bundle-server.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { ALLOW_EVERYTHING } from '../harness/permissive-rules.ts'
import { createBundleKey, signedBundle } from '../harness/signed-bundle.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../harness/temporary-directory.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'
const DENY_EVERYTHING = `
decision := {"allow": false, "risk": 0, "reasons": [reason], "obligations": []}
reason := {"code": "hours.closed", "rule": "R043", "detail": ""}
`
const POLL_MS = 1_000

const key = createBundleKey('ES256')
let open: Buffer
let closed: Buffer
let unsigned: Buffer
beforeAll(async () => {
  open = await signedBundle({ key, rules: ALLOW_EVERYTHING, revision: 'open', scope: 'production' })
  closed = await signedBundle({ key, rules: DENY_EVERYTHING, revision: 'closed', scope: 'production' })
  unsigned = await compileRules(ALLOW_EVERYTHING, { revision: 'unsigned' })
})

let folder: TemporaryDirectory
let service: BundleServer
beforeEach(async () => {
  folder = await temporaryDirectory()
  await writeFile(join(folder.path, 'verify.pem'), key.publicPem)
  service = await startBundleServer(open)
})
afterEach(async () => {
  await service[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

function startGatewayOfService(): Promise<TestGateway> {
  return startTestGateway({
    environment: { BUNDLE_TOKEN: 'hunter2' },
    settings: {
      policy: {
        service: {
          url: service.url,
          resource: 'bundles/toolgate',
          token: 'env:BUNDLE_TOKEN',
          pollMinMs: POLL_MS,
          pollMaxMs: POLL_MS,
          directory: join(folder.path, 'kept'),
        },
        verification: {
          keyFile: join(folder.path, 'verify.pem'),
          algorithm: 'ES256',
          scope: 'production',
        },
      },
    },
  })
}

/** `/readyz` as an orchestrator asks for it. */
async function readyz({ gateway, loaded }: TestGateway): Promise<{ status: number; body: unknown }> {
  const admin = { ...loaded.listen.admin, port: 0 }
  const config = { ...loaded, listen: { ...loaded.listen, admin } }
  await using listener = await startAdminFor(gateway, config, { environment: {}, complain: () => undefined })
  const response = await fetch(`http://127.0.0.1:${listener.port}/readyz`)
  return { status: response.status, body: await response.json() }
}

const policyOf = ({ gateway }: TestGateway): unknown => (gateway.status() as { policy: unknown }).policy
const soon = { timeout: 8_000, interval: 25 }

describe('policy from a bundle service', () => {
  it('is in force for calls within a poll of being served', async () => {
    await using toolgate = await startGatewayOfService()
    expect((await toolgate.send('GET', PULL)).status).toBe(200)
    expect(service.requests[0]?.headers.authorization).toBe('Bearer hunter2')

    service.publish(closed)
    const publishedMs = performance.now()
    await vi.waitFor(() => expect(policyOf(toolgate)).toMatchObject({ revision: 'closed' }), soon)
    const { atMs = Infinity } = service.requests.find((request) => request.atMs > publishedMs) ?? {}
    expect(atMs - publishedMs).toBeLessThan(POLL_MS + 500)
    expect(await toolgate.send('GET', PULL)).toMatchObject({ code: 'policy.denied' })
  })

  it('that is refused says why in status, log and metric, and the live one goes on deciding', async () => {
    await using toolgate = await startGatewayOfService()
    service.publish(unsigned)
    await vi.waitFor(
      () => expect(policyOf(toolgate)).toMatchObject({ rejected: { problem: 'signature' } }),
      soon,
    )
    expect((await toolgate.send('GET', PULL)).status).toBe(200)
    expect(policyOf(toolgate)).toMatchObject({ revision: 'open', kept: false })
    expect(await toolgate.metric('toolgate_policy_last_reload_successful')).toBe(0)
    expect(
      await toolgate.metric('toolgate_policy_rejections_total', { problem: 'signature' }),
    ).toBeGreaterThan(0)
    await vi.waitFor(async () => {
      const line = (await toolgate.logLines()).find(({ event }) => event === 'policy.rejected')
      expect(line).toMatchObject({ detail: 'signature' })
      expect(JSON.stringify(line)).toContain('not signed')
    }, soon)

    service.publish(open)
    await vi.waitFor(() => expect(policyOf(toolgate)).toMatchObject({ rejected: undefined }), soon)
    expect(await toolgate.metric('toolgate_policy_last_reload_successful')).toBe(1)
  })

  it('that was kept is used while the service is down at the start, and readiness says so', async () => {
    await (await startGatewayOfService())[Symbol.asyncDispose]()
    service.answerWith((_, response) => void response.destroy())
    await using toolgate = await startGatewayOfService()
    expect((await toolgate.send('GET', PULL)).status).toBe(200)
    expect(await readyz(toolgate)).toEqual({
      status: 200,
      body: {
        status: 'ready',
        reasons: {},
        notes: { policy: 'the bundle kept from an earlier run is in force (service)' },
      },
    })

    service.answerWith(undefined)
    service.publish(closed)
    await vi.waitFor(
      () => expect(policyOf(toolgate)).toMatchObject({ revision: 'closed', kept: false }),
      soon,
    )
    expect((await readyz(toolgate)).body).toEqual({ status: 'ready', reasons: {} })
    expect(await toolgate.send('GET', PULL)).toMatchObject({ code: 'policy.denied' })
  })

  it('stays in force when the configuration is read anew while the service is down', async () => {
    await using toolgate = await startGatewayOfService()
    service.answerWith((_, response) => void response.writeHead(503).end())
    await toolgate.gateway.reload(() => toolgate.loaded)
    expect(await toolgate.metric('toolgate_config_last_reload_successful')).toBe(1)
    expect(policyOf(toolgate)).toMatchObject({ revision: 'open', kept: true })
    expect((await toolgate.send('GET', PULL)).status).toBe(200)
  })

  it('has to be there at a first start', async () => {
    service.answerWith((_, response) => void response.writeHead(503).end())
    await expect(startGatewayOfService()).rejects.toMatchObject({ name: 'BundleError', problem: 'service' })
  })
})
