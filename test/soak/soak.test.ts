/**
 * Hours of ordinary life in short: ever new agents, allowed, denied, forged and abandoned calls, for SOAK_SECONDS
 * (600 unless given). Afterwards nothing may have grown that should not: memory, descriptors, calls in flight.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { decodeEntry } from '../../gateway/audit/entry.ts'
import { readEntries } from '../../gateway/audit/read-entries.ts'
import { startFakes } from '../harness/fakes.ts'
import { startIssuer } from '../harness/issuer.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'
import { freePorts } from '../harness/free-ports.ts'
import { configFileIn, runToolgate, untilReady } from '../harness/toolgate-process.ts'
import { churn } from './churn.ts'

const SECONDS = Number(process.env['SOAK_SECONDS'] ?? '600')
const IN_FLIGHT = 16

it(
  'keeps memory, descriptors and calls in flight where they were, and every call on record',
  async () => {
    await using folder = await temporaryDirectory()
    await using issuer = await startIssuer()
    await using fakes = await startFakes()
    const [port = 0, adminPort = 0] = await freePorts(2)
    const connector = (origin: string, credential: object) => ({
      origin,
      credential,
      allowAddresses: ['127.0.0.0/8'],
    })
    const settings = {
      listen: { port, admin: { port: adminPort }, drain: { graceMs: 0, deadlineMs: 5_000 } },
      identity: {
        issuers: [
          { issuer: issuer.issuer, audiences: issuer.config.audiences, jwks: { uri: issuer.jwksUri } },
        ],
      },
      // Every agent here fails on purpose, and all of them are one agent by name.
      breakers: { agent: { failures: 100_000, windowMs: 100, openMs: 100 } },
      connectors: {
        github: connector(fakes.github.origin, { type: 'bearer', token: 'env:GITHUB' }),
        jira: connector(fakes.jira.origin, {
          type: 'basic',
          username: 'toolgate@zyx.example',
          password: 'env:JIRA',
        }),
      },
      audit: { directory: join(folder.path, 'audit') },
      telemetry: { logDestination: join(folder.path, 'gateway.log') },
    }
    await writeFile(configFileIn(folder.path), JSON.stringify(settings))
    await using toolgate = runToolgate(['start', '--config', configFileIn(folder.path)], fakes.environment)
    await untilReady(toolgate, adminPort)
    const origin = `http://127.0.0.1:${port}`
    const pid = toolgate.child.pid ?? 0

    const warmUp = await churn(origin, issuer, IN_FLIGHT, (SECONDS * 1_000) / 3)
    const before = await footprint(pid)
    const soak = await churn(origin, issuer, IN_FLIGHT, (SECONDS * 2_000) / 3)
    const after = await footprint(pid)
    console.log({ calls: warmUp.calls + soak.calls, before, after })

    expect(Object.fromEntries([...warmUp.surprises, ...soak.surprises])).toEqual({})
    expect(after.residentMb - before.residentMb).toBeLessThan(64)
    expect(after.descriptors - before.descriptors).toBeLessThan(IN_FLIGHT)
    await expect.poll(() => inFlight(adminPort)).toBe(0)

    toolgate.child.kill('SIGTERM')
    expect(await toolgate.ended).toBe(0)
    const { decided, ended } = await countRecords(settings.audit.directory)
    expect(ended).toBeGreaterThanOrEqual(decided)
    expect(decided).toBeGreaterThan(0)
  },
  SECONDS * 1_000 + 120_000,
)

interface Footprint {
  readonly residentMb: number
  readonly descriptors: number
}

async function footprint(pid: number): Promise<Footprint> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1])
  return { residentMb: Math.round(kilobytes / 1_024), descriptors: (await readdir(`/proc/${pid}/fd`)).length }
}

async function inFlight(adminPort: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
  return Number(/^toolgate_calls_in_flight (\d+)$/m.exec(text)?.[1])
}

/** Calls with an intent, and calls with an outcome, on record. */
async function countRecords(
  directory: string,
): Promise<{ readonly decided: number; readonly ended: number }> {
  let decided = 0
  let ended = 0
  for await (const { bytes } of readEntries(directory)) {
    const type = decodeEntry(bytes)?.type
    if (type === 'decision') decided += 1
    if (type === 'outcome') ended += 1
  }
  return { decided, ended }
}
