import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { decodeEntry } from '../../gateway/audit/entry.ts'
import { readEntries } from '../../gateway/audit/read-entries.ts'
import { verifyAudit } from '../../gateway/audit/verify/verify-audit.ts'
import { startFakes } from '../harness/fakes.ts'
import { startIssuer } from '../harness/issuer.ts'
import { createProofKey, signProof } from '../harness/proof.ts'
import { createSender } from '../harness/send.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'
import { freePorts } from '../harness/free-ports.ts'
import { configFileIn, runToolgate, untilReady } from '../harness/toolgate-process.ts'

const ROUNDS = 4
const CLIENTS = 24

/** Calls without an end that this life has found in what those before it left. */
async function foundInDoubt(adminPort: number): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${String(adminPort)}/metrics`)).text()
  return Number(/^toolgate_audit_calls_in_doubt_total (\d+)$/m.exec(metrics)?.[1])
}

it('every call that the upstream saw is on record, however often the gateway is killed under load', async () => {
  await using directory = await temporaryDirectory()
  await using issuer = await startIssuer()
  await using fakes = await startFakes()
  using sender = createSender(undefined)
  const auditDirectory = join(directory.path, 'audit')
  const [port = 0, adminPort = 0] = await freePorts(2)
  const origin = `http://127.0.0.1:${String(port)}`
  const settings = {
    listen: { port, externalOrigins: [origin], admin: { port: adminPort } },
    identity: {
      issuers: [{ issuer: issuer.issuer, audiences: issuer.config.audiences, jwks: { uri: issuer.jwksUri } }],
    },
    limits: { rates: [], quotas: [], concurrency: [] },
    connectors: {
      github: {
        origin: fakes.github.origin,
        credential: { type: 'bearer', token: 'env:GITHUB' },
        allowAddresses: ['127.0.0.0/8'],
        environments: [{ resource: 'repository', value: 'zyx/platform-infra', environment: 'staging' }],
      },
    },
    audit: { directory: auditDirectory, segmentLimitBytes: 1_048_576 },
    telemetry: { logDestination: join(directory.path, 'gateway.log') },
  }
  // JSON is YAML.
  await writeFile(configFileIn(directory.path), JSON.stringify(settings))
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
  let sent = 0
  let inDoubtSoFar = 0
  /** One call with a number of its own, which the upstream sees in the path and the record has as the task. */
  const call = (): Promise<unknown> => {
    const number = String(++sent)
    const target = `/github/repos/zyx/platform-infra/pulls/${number}`
    const dpop = signProof({ key, method: 'GET', url: origin + target, token })
    const headers = {
      authorization: `DPoP ${token}`,
      dpop,
      'toolgate-task': `task-${number}`,
      'user-agent': 'test',
    }
    return sender.send({ origin, method: 'GET', target, headers, body: undefined })
  }

  for (let round = 1; round <= ROUNDS; round++) {
    await using gateway = runToolgate(['start', '--config', configFileIn(directory.path)], fakes.environment)
    await untilReady(gateway, adminPort)
    inDoubtSoFar += await foundInDoubt(adminPort)
    const enough = sent + 60 * round
    const client = async (): Promise<void> => {
      // Ends with the first call that the dead gateway does not answer.
      for (;;) {
        if (sent >= enough) gateway.child.kill('SIGKILL')
        await call()
      }
    }
    await Promise.allSettled(Array.from({ length: CLIENTS }, client))
    expect(await gateway.ended).toBe('SIGKILL')
  }
  {
    await using gateway = runToolgate(['start', '--config', configFileIn(directory.path)], fakes.environment)
    await untilReady(gateway, adminPort)
    inDoubtSoFar += await foundInDoubt(adminPort)
    gateway.child.kill('SIGTERM')
    expect(await gateway.ended).toBe(0)
  }

  const intended = new Map<string, string>()
  const ended: string[] = []
  let unknown = 0
  for await (const { bytes } of readEntries(auditDirectory)) {
    const entry = decodeEntry(bytes)
    if (entry?.type === 'decision') intended.set(entry.call, entry.declared.task)
    if (entry?.type === 'outcome' && intended.has(entry.call)) ended.push(entry.call)
    if (entry?.type === 'outcome' && entry.outcome === 'unknown') unknown += 1
  }
  const onRecord = new Set(intended.values())
  const seen = fakes.github.requests.map(({ target }) => `task-${target.split('/').at(-1) ?? ''}`)
  expect(seen.length).toBeGreaterThan(ROUNDS)
  expect(seen.filter((task) => !onRecord.has(task))).toEqual([])
  expect(ended.sort()).toEqual([...intended.keys()].sort())
  expect(unknown).toBeGreaterThan(0)
  expect(inDoubtSoFar).toBe(unknown)
  const { problems, inDoubt } = await verifyAudit({ directory: auditDirectory, complete: true })
  expect({ problems, inDoubt }).toEqual({ problems: [], inDoubt: [] })
})
