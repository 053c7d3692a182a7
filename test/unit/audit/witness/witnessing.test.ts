import { createServer } from 'node:http'
import { once } from 'node:events'
import { cp, readdir, readFile, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FleetLog } from '../../../../gateway/audit/fleet-log.ts'
import { openSigning } from '../../../../gateway/audit/open-signing.ts'
import { listEpochs } from '../../../../gateway/audit/read-entries.ts'
import { parseCheckpoint, type SignedCheckpoint } from '../../../../gateway/audit/tlog/checkpoint.ts'
import { isSignedBy } from '../../../../gateway/audit/tlog/note.ts'
import { formatVerifierKey } from '../../../../gateway/audit/tlog/verifier-key.ts'
import { runAudit } from '../../../harness/audit-command.ts'
import { auditConfig } from '../../../harness/audit-config.ts'
import { runningWitness, type RunningWitness } from '../../../harness/running-witness.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../../../harness/temporary-directory.ts'

let directory: TemporaryDirectory
let record: string
let stack: AsyncDisposableStack
let answers: string[]

beforeEach(async () => {
  directory = await temporaryDirectory()
  record = join(directory.path, 'audit')
  stack = new AsyncDisposableStack()
  answers = []
})

afterEach(async () => {
  await stack.disposeAsync()
  await directory[Symbol.asyncDispose]()
})

async function startWitness(name: string): Promise<RunningWitness> {
  const { keys } = await openSigning(auditConfig(record))
  return stack.use(
    await runningWitness(join(directory.path, name), keys, { name: `witness.example/${name}` }),
  )
}

async function startFleetLog(
  witnesses: readonly { readonly key: RunningWitness['key']; readonly url: string }[],
  quorum: number,
  timeoutMs = 5_000,
): Promise<FleetLog> {
  const each = witnesses.map(({ key, url }) => ({
    key: formatVerifierKey(key),
    url,
    caFile: undefined,
    timeoutMs,
  }))
  const config = auditConfig(record, { checkpointIntervalMs: 60_000, witnesses: { quorum, each } })
  const onWitness = (witness: string, outcome: string): void => void answers.push(`${witness} ${outcome}`)
  return FleetLog.open({ config, version: '0.1.0', onWitness })
}

async function cosignedCheckpoint(): Promise<SignedCheckpoint | undefined> {
  const [path] = await listEpochs(record)
  const text = await readFile(join(path?.directory ?? '', 'checkpoint.cosigned'), 'utf8').catch(() => '')
  return parseCheckpoint(text)
}

describe('a fleet log with witnesses', () => {
  it('publishes each checkpoint that a quorum cosigned, and verify finds it', async () => {
    const [one, two] = [await startWitness('w1'), await startWitness('w2')]
    const fleetLog = await startFleetLog([one, two], 2)
    await fleetLog.publish()
    await expect.poll(async () => (await cosignedCheckpoint())?.size).toBe(1)
    await fleetLog[Symbol.asyncDispose]()
    const cosigned = await cosignedCheckpoint()
    // The last one, too, which comes when the log is sealed.
    expect(cosigned?.size).toBe(2)
    for (const { key } of [one, two]) expect(cosigned && isSignedBy(cosigned.note, [key])).toBe(true)
    const witnesses = [one, two].flatMap(({ key }) => ['--witness', formatVerifierKey(key)])
    expect(await runAudit(['verify', record, ...witnesses])).toMatchObject({ exitCode: 0 })
  })

  it('is behind without a quorum, and goes on', async () => {
    const one = await startWitness('w1')
    const away = { key: (await startWitness('w2')).key, url: 'http://127.0.0.1:1' }
    await using fleetLog = await startFleetLog([one, away], 2)
    const startedMs = fleetLog.quorumAtMs
    await fleetLog.publish()
    await expect.poll(() => answers).toContain('witness.example/w2 failed')
    await expect.poll(() => answers).toContain('witness.example/w1 cosigned')
    expect(fleetLog.healthy).toBe(true)
    expect(fleetLog.quorumAtMs).toBe(startedMs)
    expect(await cosignedCheckpoint()).toBeUndefined()
  })

  it('publishes what it has while a witness does not answer', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    stack.defer(() => {
      silent.close()
      silent.closeAllConnections()
    })
    const { port } = silent.address() as AddressInfo
    const { key } = await startWitness('w1')
    await using fleetLog = await startFleetLog([{ key, url: `http://127.0.0.1:${String(port)}` }], 1, 300)
    await fleetLog.publish()
    const [path] = await listEpochs(record)
    expect(parseCheckpoint(await readFile(join(path?.directory ?? '', 'checkpoint'), 'utf8'))?.size).toBe(1)
    await expect.poll(() => answers).toContain('witness.example/w1 failed')
  })

  it('asks a witness again that could not answer, with nothing new to cosign', async () => {
    const one = await startWitness('w1')
    let requests = 0
    const flaky = createServer((request, response) => {
      requests++
      if (requests === 1) response.writeHead(500).end()
      else
        void request
          .toArray()
          .then((chunks: Buffer[]) => one.post(Buffer.concat(chunks).toString()))
          .then(({ status, body }) => response.writeHead(status).end(body))
    }).listen(0, '127.0.0.1')
    await once(flaky, 'listening')
    stack.defer(() => void flaky.close())
    const { port } = flaky.address() as AddressInfo
    await using fleetLog = await startFleetLog([{ key: one.key, url: `http://127.0.0.1:${String(port)}` }], 1)
    await fleetLog.publish()
    await expect.poll(async () => (await cosignedCheckpoint())?.size).toBe(1)
    expect(answers).toEqual(['witness.example/w1 refused', 'witness.example/w1 cosigned'])
  })

  it('believes no cosignature of another key', async () => {
    const [one, two] = [await startWitness('w1'), await startWitness('w2')]
    await using fleetLog = await startFleetLog([{ key: one.key, url: two.url }], 1)
    await fleetLog.publish()
    await expect.poll(() => answers).toContain('witness.example/w1 failed')
    expect(await cosignedCheckpoint()).toBeUndefined()
  })
})

describe('toolgate audit verify --witness', () => {
  it('wants as many cosignatures as --quorum says, of the witnesses that it was given', async () => {
    const [one, two] = [await startWitness('w1'), await startWitness('w2')]
    const fleetLog = await startFleetLog([one], 1)
    await fleetLog[Symbol.asyncDispose]()
    const [first, second] = [one, two].map(({ key }) => formatVerifierKey(key))
    const witnesses = ['--witness', first ?? '', '--witness', second ?? '']
    expect(await runAudit(['verify', record, ...witnesses, '--quorum', '1'])).toMatchObject({ exitCode: 0 })
    const { exitCode, printed } = await runAudit(['verify', record, ...witnesses])
    expect(exitCode).toBe(1)
    expect(printed).toContain('cosignature.missing')
    expect(printed).toContain('1 of the given witnesses cosigned, 2 have to')
    expect(await runAudit(['verify', record, '--quorum', '1'])).toMatchObject({ exitCode: 2 })
    const twice = ['--witness', first ?? '', '--witness', first ?? '', '--quorum', '2']
    expect(await runAudit(['verify', record, ...twice])).toMatchObject({ exitCode: 2 })
  })
})

describe('a witness', () => {
  it('has what names a directory that was put back as a whole, to before its newest logs', async () => {
    const witness = await startWitness('w1')
    const live = async (): Promise<void> => (await startFleetLog([witness], 1))[Symbol.asyncDispose]()
    await live()
    const earlier = join(directory.path, 'earlier')
    await cp(record, earlier, { recursive: true })
    await live()
    const state = join(directory.path, 'w1', 'state')
    const kept = (await readdir(state)).filter((name) => name.endsWith('.checkpoint'))
    expect(kept).toHaveLength(2)
    const checkpoints = kept.flatMap((name) => ['--checkpoint', join(state, name)])
    expect(await runAudit(['verify', record, ...checkpoints])).toMatchObject({ exitCode: 0 })
    await rm(record, { recursive: true })
    await cp(earlier, record, { recursive: true })
    expect(await runAudit(['verify', record])).toMatchObject({ exitCode: 0 })
    const { exitCode, printed } = await runAudit(['verify', record, ...checkpoints])
    expect(exitCode).toBe(1)
    expect(printed).toContain('log.missing')
  })
})
