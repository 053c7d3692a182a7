import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Fakes, startFakes } from '../harness/fakes.ts'
import { type Issuer, startIssuer } from '../harness/issuer.ts'
import { createProofKey, signProof } from '../harness/proof.ts'
import { sealedLogs } from '../harness/sealed-logs.ts'
import { type StartConfig, writeStartConfig } from '../harness/start-config.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.ts'
import { runToolgate, type ToolgateProcess, untilReady } from '../harness/toolgate-process.ts'

let folder: TemporaryDirectory
let issuer: Issuer
let fakes: Fakes
beforeAll(async () => {
  ;[folder, issuer, fakes] = await Promise.all([temporaryDirectory(), startIssuer(), startFakes()])
})
afterAll(async () => {
  for (const part of [folder, issuer, fakes]) await part[Symbol.asyncDispose]()
})

async function start(sections?: Readonly<Record<string, unknown>>): Promise<[ToolgateProcess, StartConfig]> {
  const config = await writeStartConfig(folder.path, { issuer, fakes }, sections)
  const toolgate = runToolgate(['start', '--config', config.file], fakes.environment)
  await untilReady(toolgate, config.adminPort)
  return [toolgate, config]
}

function call({ port }: StartConfig): Promise<Response> {
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
  const url = `http://127.0.0.1:${port}/github/repos/zyx/platform-infra/pulls/991`
  const dpop = signProof({ key, method: 'GET', url, token })
  return fetch(url, { headers: { authorization: `DPoP ${token}`, dpop } })
}

function countOf(event: string, { output }: ToolgateProcess): number {
  return output().split(`"${event}"`).length - 1
}

function isSealed({ auditDirectory }: StartConfig): Promise<boolean[]> {
  return sealedLogs(auditDirectory)
}

async function readyStatus({ adminPort }: StartConfig): Promise<number> {
  return (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).status
}

/** An upstream that takes a call and answers it when told. */
async function startSlowUpstream() {
  const arrived = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const server = createServer((_, reply) => {
    arrived.resolve()
    void release.promise.then(() => reply.setHeader('content-type', 'application/json').end('{"number":991}'))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    connectors: {
      github: {
        origin: `http://127.0.0.1:${port}`,
        credential: { type: 'bearer', token: 'env:GITHUB' },
        allowAddresses: ['127.0.0.0/8'],
      },
    },
    arrived: arrived.promise,
    release: release.resolve,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

it.each(['SIGTERM', 'SIGINT'] as const)(
  '%s lets the call in flight finish, seals the log and exits 0',
  async (signal) => {
    await using upstream = await startSlowUpstream()
    const [running, config] = await start({ connectors: upstream.connectors })
    await using toolgate = running
    const reply = call(config)
    await upstream.arrived
    toolgate.child.kill(signal)
    await expect.poll(() => countOf('gateway.draining', toolgate), { timeout: 10_000 }).toBe(1)
    upstream.release()
    const { status } = await reply
    expect([status, await toolgate.ended, await isSealed(config)]).toEqual([200, 0, [true]])
  },
)

it('is not ready from the first signal on, and a second one cuts the waiting short', async () => {
  await using upstream = await startSlowUpstream()
  const drain = { graceMs: 60_000, deadlineMs: 60_000 }
  const config = await writeStartConfig(folder.path, { issuer, fakes }, { connectors: upstream.connectors })
  const { port, adminPort } = config
  await config.write({ connectors: upstream.connectors, listen: { port, admin: { port: adminPort }, drain } })
  await using toolgate = runToolgate(['start', '--config', config.file], fakes.environment)
  await untilReady(toolgate, adminPort)
  const cut = call(config).then(
    ({ status }) => status,
    () => 'cut',
  )
  await upstream.arrived
  toolgate.child.kill('SIGTERM')
  await expect.poll(() => readyStatus(config), { timeout: 10_000 }).toBe(503)
  toolgate.child.kill('SIGTERM')
  expect([await toolgate.ended, await isSealed(config)]).toEqual([0, [true]])
  expect(['cut', 502, 503, 504]).toContain(await cut)
})

it('SIGHUP reads the configuration again', async () => {
  const [running] = await start()
  await using toolgate = running
  expect(countOf('config.loaded', toolgate)).toBe(1)
  toolgate.child.kill('SIGHUP')
  await expect.poll(() => countOf('config.loaded', toolgate), { timeout: 10_000 }).toBe(2)
})

it('a change of the file is taken without a signal, and operators see it with secrets as references', async () => {
  const [running, config] = await start()
  await using _toolgate = running
  const shown = async (): Promise<{ limits: { rates: { name: string }[] }; connectors: unknown }> => {
    const reply = await fetch(`http://127.0.0.1:${config.adminPort}/admin/v1/config`)
    return (await reply.json()) as { limits: { rates: { name: string }[] }; connectors: unknown }
  }
  expect((await shown()).limits.rates).toEqual([])
  await config.write({
    limits: { rates: [{ name: 'new', by: ['agent'], calls: 5, windowMs: 60_000, burst: 5 }] },
  })
  await expect
    .poll(async () => (await shown()).limits.rates.map(({ name }) => name), { timeout: 10_000 })
    .toEqual(['new'])
  expect((await shown()).connectors).toMatchObject({ github: { credential: { token: 'env:GITHUB' } } })
})

it('a port that somebody else has ends the start with exit code 1 and one line that says so', async () => {
  const config = await writeStartConfig(folder.path, { issuer, fakes })
  const other = createServer().listen(config.port, '127.0.0.1')
  await once(other, 'listening')
  await using toolgate = runToolgate(['start', '--config', config.file], fakes.environment)
  expect(await toolgate.ended).toBe(1)
  expect(toolgate.output()).toContain(
    `toolgate: listen EADDRINUSE: address already in use 127.0.0.1:${config.port}`,
  )
  expect(toolgate.output()).not.toContain('    at ')
  await new Promise((closed) => other.close(closed))
})

it('a start that hangs is over at the third signal, with the code that shells give it', async () => {
  await using silent = await startSlowUpstream()
  const { origin } = silent.connectors.github
  const service = { url: origin, resource: 'bundle', timeoutMs: 600_000, directory: folder.path }
  const config = await writeStartConfig(folder.path, { issuer, fakes }, { policy: { service } })
  await using toolgate = runToolgate(['start', '--config', config.file], fakes.environment)
  await silent.arrived
  // Signals that come before the last was seen are one with it: whoever is impatient goes on.
  const impatience = setInterval(() => toolgate.child.kill('SIGTERM'), 100)
  const code = await toolgate.ended
  clearInterval(impatience)
  expect([code, existsSync(config.auditDirectory)]).toEqual([143, false])
})
