import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startExportCollector } from '../harness/export-collector.ts'
import { type Neighbours, startNeighbours } from '../harness/neighbours.ts'
import { createProofKey, signProof } from '../harness/proof.ts'
import { sealedLogs } from '../harness/sealed-logs.ts'
import { freePorts } from '../harness/free-ports.ts'
import { configFileIn, runToolgate, type ToolgateProcess, untilReady } from '../harness/toolgate-process.ts'
import { until } from '../harness/until.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'

let neighbours: Neighbours
beforeAll(async () => {
  neighbours = await startNeighbours()
})
afterAll(() => neighbours[Symbol.asyncDispose]())

interface Fleet extends AsyncDisposable {
  readonly toolgate: ToolgateProcess
  readonly admin: string
  readonly auditDirectory: string
  call(): Promise<Response>
}

async function startFleet(workers: number, extra: object = {}): Promise<Fleet> {
  const { folder, issuer, fakes, redis } = neighbours
  const [port = 0, adminPort = 0] = await freePorts(2)
  const settings = {
    listen: { port, admin: { port: adminPort }, drain: { graceMs: 0, deadlineMs: 5_000 } },
    workers,
    identity: {
      issuers: [{ issuer: issuer.issuer, audiences: issuer.config.audiences, jwks: { uri: issuer.jwksUri } }],
    },
    store: { kind: 'redis', redis: { url: redis.url, keyPrefix: `fleet-${port}:` } },
    connectors: {
      github: {
        origin: fakes.github.origin,
        credential: { type: 'bearer', token: 'env:GITHUB' },
        allowAddresses: ['127.0.0.0/8'],
      },
    },
    audit: { directory: `audit-${port}` },
    telemetry: { logDestination: 'stderr' },
    ...extra,
  }
  await writeFile(configFileIn(folder.path), JSON.stringify(settings))
  const toolgate = runToolgate(['start', '--config', configFileIn(folder.path)], fakes.environment)
  await untilReady(toolgate, adminPort)
  const key = createProofKey()
  const token = issuer.token({
    jkt: key.jkt,
    claims: {
      client_id: 'change-review-agent',
      sub: 'dana@zyx.example',
      tenant: 'zyx-bank',
      groups: ['devsecops-change-review'],
      device_compliant: true,
    },
  })
  const url = `http://127.0.0.1:${port}${PULL}`
  return {
    toolgate,
    admin: `http://127.0.0.1:${adminPort}`,
    auditDirectory: join(folder.path, `audit-${port}`),
    call: () =>
      fetch(url, {
        // A connection of its own: the workers take them in turn.
        headers: {
          authorization: `DPoP ${token}`,
          dpop: signProof({ key, method: 'GET', url, token }),
          connection: 'close',
        },
      }),
    [Symbol.asyncDispose]: () => toolgate[Symbol.asyncDispose](),
  }
}

describe('several workers', () => {
  it('answer calls on one port and are seen as one gateway by operators', async () => {
    await using fleet = await startFleet(2)
    const replies = await Promise.all(Array.from({ length: 12 }, () => fleet.call()))
    expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 200))
    // A call is counted once it has been answered.
    await expect
      .poll(async () => (await fetch(`${fleet.admin}/metrics`)).text())
      .toMatch(
        /toolgate_calls_total\{connector="github",access="read",decision="allow",reason="allowed"\} 12/,
      )
    const status = (await (await fetch(`${fleet.admin}/admin/v1/status`)).json()) as { workers: object }
    expect(Object.keys(status.workers)).toHaveLength(2)
  })

  it('have their record exported by the primary, once', async () => {
    await using collector = await startExportCollector()
    const exports = { siem: { webhook: { url: collector.url } } }
    await using fleet = await startFleet(2, { audit: { directory: 'audit-exported', exports } })
    await Promise.all(Array.from({ length: 4 }, () => fleet.call()))
    await until(() =>
      ['worker-1', 'worker-2', 'fleet'].every((node) =>
        collector.taken.some((id) => id.includes(`/${node}/`)),
      ),
    )
    expect(collector.taken.length).toBe(new Set(collector.taken).size)
    const metrics = await (await fetch(`${fleet.admin}/metrics`)).text()
    expect(metrics).toMatch(/toolgate_audit_export_delivered_total\{export="siem"\} [1-9]/)
    expect(metrics).toMatch(/toolgate_audit_export_lag_seconds\{export="siem"\} /)
  })

  it('share one limit, however the calls fall on them', async () => {
    const limits = { rates: [{ name: 'few', by: ['agent'], calls: 5, windowMs: 60_000, burst: 5 }] }
    await using fleet = await startFleet(2, { limits })
    const replies = await Promise.all(Array.from({ length: 12 }, () => fleet.call()))
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(5)
    expect(replies.filter(({ status }) => status === 429)).toHaveLength(7)
  })

  it('are replaced when one is killed', async () => {
    await using fleet = await startFleet(2)
    const pids = async (): Promise<number[]> => {
      const { workers } = (await (await fetch(`${fleet.admin}/admin/v1/status`)).json()) as {
        workers: Record<string, { process: { pid: number } }>
      }
      return Object.values(workers).map(({ process: { pid } }) => pid)
    }
    const [victim = 0] = await pids()
    process.kill(victim, 'SIGKILL')
    await expect
      .poll(async () => (await pids()).filter((pid) => pid !== victim), { timeout: 10_000 })
      .toHaveLength(2)
    expect((await fleet.call()).status).toBe(200)
  })

  it('drain together at SIGTERM and seal their logs', async () => {
    await using fleet = await startFleet(2)
    const { status } = await fleet.call()
    expect(status).toBe(200)
    fleet.toolgate.child.kill('SIGTERM')
    expect(await fleet.toolgate.ended).toBe(0)
    expect(await sealedLogs(fleet.auditDirectory)).toEqual([true, true])
  })
})
