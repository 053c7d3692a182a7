import { generateKeyPairSync } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readComposeFile, REPOSITORY } from '../harness/compose-file.ts'
import { createPki, type Pki } from '../harness/pki.ts'
import { readmeBlocks, readmeCommands } from '../harness/readme.ts'
import { startRedis } from '../harness/redis.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.ts'
import { freePorts } from '../harness/free-ports.ts'
import { until } from '../harness/until.ts'
import {
  configFileIn,
  runProcess,
  runToolgate,
  type ToolgateProcess,
  untilReady,
} from '../harness/toolgate-process.ts'

const commands = await readmeCommands()

/** Runs a line of the README as a reader would, in a shell at the repository's root; `changes` are this machine's. */
async function inShell(
  command: string,
  changes: Readonly<Record<string, string>> = {},
): Promise<[unknown, string]> {
  expect(commands).toContain(command)
  const line = Object.entries(changes).reduce((text, [from, to]) => text.replaceAll(from, to), command)
  await using run = runProcess(['sh', '-c', line], { cwd: REPOSITORY })
  return [await run.ended, run.output()]
}

it('nothing stands among the commands of the README that no test runs', () => {
  expect(commands).toEqual([
    // By test/harness/newcomer.mjs, in a fresh clone.
    'npm ci && npm start',
    'npm ci && npm test',
    'npx toolgate dev call github GET /repos/zyx/platform-infra/pulls/991',
    'npx toolgate dev tour',
    'curl -s http://127.0.0.1:9090/metrics | grep toolgate_calls_total',
    // By readme-rule.test.ts.
    'npx toolgate policy test',
    'npx toolgate policy build',
    // By dev-commands.test.ts.
    `npx toolgate dev call github POST /repos/zyx/platform-infra/issues/991/comments --as release-agent --data '{"body":"Released"}' --header Toolgate-Ticket:CHG-18422 --header 'Toolgate-Rollback-Plan:Delete it' --header Prefer:wait=120`,
    'export TOOLGATE_ADMIN_TOKEN=$(npx toolgate dev token priya)',
    'npx toolgate approvals list',
    'npx toolgate approvals approve ID',
    'npx toolgate lock set agent:invoice-bot --reason "runs wild" --expires 2h',
    'npx toolgate lock list',
    'npx toolgate check --config toolgate.yaml',
    'npx toolgate start --config toolgate.yaml',
    // By compose-setup.test.ts, without containers.
    'docker compose up --build --detach --wait',
    'docker compose run --rm tour',
  ])
  expect(Object.keys(readComposeFile().services)).toContain('tour')
})

describe('npm start', () => {
  let folder: TemporaryDirectory
  let started: ToolgateProcess
  let port: number
  let adminPort: number
  beforeAll(async () => {
    folder = await temporaryDirectory()
    ;[port = 0, adminPort = 0] = await freePorts(2)
    const more = ['--', '--port', String(port), '--admin-port', String(adminPort)]
    started = runProcess(['npm', 'start', ...more], {
      cwd: REPOSITORY,
      isGroup: true,
      environment: {
        TOOLGATE__AUDIT__DIRECTORY: join(folder.path, 'audit'),
        TOOLGATE__STORE__CONTROLFILE: join(folder.path, 'control.db'),
      },
    })
    await untilReady(started, adminPort)
  })
  afterAll(async () => {
    await started[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  it('says where it listens and what to try next, and each of those is in the README', async () => {
    // Printed once it is ready, which its admin listener may have said a moment before.
    await until(() => /Try next, in another terminal:\n\n(?: {2}.+\n){3}/.test(started.output()))
    const welcome = started.output()
    expect(welcome).toContain(`calls       http://127.0.0.1:${port}`)
    expect(welcome).toContain(`operators   http://127.0.0.1:${adminPort}`)
    const [, next = ''] = /Try next, in another terminal:\n\n((?: {2}.+\n)+)/.exec(welcome) ?? []
    const suggested = next
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean)
    const options = ` --gateway http://127.0.0.1:${port}`
    const moreOptions = `${options} --admin http://127.0.0.1:${adminPort}`
    expect(suggested.map((line) => line.replace(moreOptions, '').replace(options, ''))).toEqual(
      commands.slice(2, 5).map((line) => line.replace('9090', String(adminPort))),
    )
  })

  it('lets the call of the README through', async () => {
    const call = 'npx toolgate dev call github GET /repos/zyx/platform-infra/pulls/991'
    const [code, output] = await inShell(call, { [call]: `${call} --gateway http://127.0.0.1:${port}` })
    expect(code).toBe(0)
    expect(output).toMatch(/decision {2}allow[^]*"number": 991/)
  })

  it('counts it where the README looks', async () => {
    const curl = 'curl -s http://127.0.0.1:9090/metrics | grep toolgate_calls_total'
    const [code, output] = await inShell(curl, { 9090: String(adminPort) })
    expect(code).toBe(0)
    expect(output).toMatch(/toolgate_calls_total\{connector="github".*reason="allowed"\} 1/)
  })

  it('takes the tour', async () => {
    const tour = 'npx toolgate dev tour'
    const here = `--gateway http://127.0.0.1:${port} --admin http://127.0.0.1:${adminPort}`
    const [code] = await inShell(tour, { [tour]: `${tour} ${here}` })
    expect(code).toBe(0)
  })

  it('locks, and says what is locked', async () => {
    const here = { 'npx toolgate': `TOOLGATE_ADMIN=http://127.0.0.1:${adminPort} npx toolgate` }
    const lock = 'npx toolgate lock set agent:invoice-bot --reason "runs wild" --expires 2h'
    const [code, output] = await inShell(lock, here)
    expect([code, output]).toEqual([0, expect.stringContaining('locked agent:invoice-bot')])
    const [, list] = await inShell('npx toolgate lock list', here)
    expect(list).toMatch(/agent:invoice-bot .* operator +runs wild/)
  })

  it('ends at Ctrl-C', async () => {
    started.signal('SIGINT')
    await started.ended
    await expect(fetch(`http://127.0.0.1:${adminPort}/healthz`)).rejects.toThrow('fetch failed')
  })
})

describe('the configuration of the README', () => {
  let folder: TemporaryDirectory
  let pki: Pki
  let file: string
  beforeAll(async () => {
    folder = await temporaryDirectory()
    pki = createPki()
    const server = pki.server()
    file = configFileIn(folder.path)
    const [block = ''] = await readmeBlocks('yaml')
    await writeFile(file, block.replaceAll('/run/secrets/', `${folder.path}/`))
    await writeFile(join(folder.path, 'tls.crt'), await readFile(server.certFile))
    await writeFile(join(folder.path, 'tls.key'), await readFile(server.keyFile))
    await writeFile(join(folder.path, 'agents-ca.crt'), pki.ca)
    await writeFile(join(folder.path, 'redis'), 'password\n')
    await writeFile(join(folder.path, 'github'), 'token\n')
  })
  afterAll(async () => {
    await pki[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  it('passes the check', async () => {
    const [code, output] = await inShell('npx toolgate check --config toolgate.yaml', {
      'toolgate.yaml': file,
    })
    expect([code, output]).toEqual([0, expect.stringContaining('no mistakes')])
  })

  it('starts with a Redis that has this password, and drains at SIGTERM', async () => {
    await using redis = await startRedis({ args: ['--requirepass', 'password'] })
    const [port = 0, adminPort = 0] = await freePorts(2)
    const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
    const jwks = { file: join(folder.path, 'jwks.json') }
    await writeFile(jwks.file, JSON.stringify({ keys: [{ ...jwk, kid: '1', alg: 'ES256' }] }))
    // Nobody answers at login.bank.example.
    const issuer = {
      issuer: 'https://login.bank.example',
      audiences: ['https://toolgate.bank.example'],
      jwks,
    }
    await using toolgate = runToolgate(['start', '--config', file], {
      TOOLGATE__LISTEN__HOST: '127.0.0.1',
      TOOLGATE__LISTEN__PORT: String(port),
      TOOLGATE__LISTEN__ADMIN__PORT: String(adminPort),
      TOOLGATE__LISTEN__DRAIN__GRACE_MS: '0',
      TOOLGATE__STORE__REDIS__URL: redis.url,
      TOOLGATE__IDENTITY__ISSUERS: JSON.stringify([issuer]),
    })
    await untilReady(toolgate, adminPort)
    toolgate.child.kill('SIGTERM')
    expect(await toolgate.ended).toBe(0)
  })
})
