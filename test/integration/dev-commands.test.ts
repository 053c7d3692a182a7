import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { REPOSITORY } from '../harness/compose-file.ts'
import { readmeCommands } from '../harness/readme.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.ts'
import { firstOfFreePorts, freePorts } from '../harness/free-ports.ts'
import { toolgateHere } from '../harness/run-here.ts'
import { runProcess, runToolgate, type ToolgateProcess, untilReady } from '../harness/toolgate-process.ts'

const PULL = '/repos/zyx/platform-infra/pulls/991'

let folder: TemporaryDirectory
let gateway: ToolgateProcess
let origin: string
let admin: string
beforeAll(async () => {
  folder = await temporaryDirectory()
  const [port = 0, adminPort = 0] = await freePorts(2)
  origin = `http://127.0.0.1:${port}`
  admin = `http://127.0.0.1:${adminPort}`
  gateway = runToolgate(['dev', '--port', String(port), '--admin-port', String(adminPort)], {
    TOOLGATE__AUDIT__DIRECTORY: join(folder.path, 'audit'),
    TOOLGATE__STORE__CONTROL_FILE: join(folder.path, 'control.db'),
  })
  await untilReady(gateway, adminPort)
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

async function devCall(...args: readonly string[]): Promise<[code: unknown, output: string]> {
  await using call = runToolgate(['dev', 'call', ...args, '--gateway', origin])
  return [await call.ended, call.output()]
}

describe('toolgate dev call', () => {
  it('exits 0 for a call that went through', async () => {
    expect(await devCall('github', 'GET', PULL)).toEqual([0, expect.stringContaining('"number": 991')])
  })

  it('exits 3 for a call that the gateway refused, and names the reason', async () => {
    const [code, output] = await devCall('github', 'GET', PULL, '--as', 'outsider')
    expect([code, output]).toEqual([
      3,
      expect.stringMatching(/policy\.denied[^]*group\.not_allowed \(R010\)/),
    ])
  })

  it('exits 4 for a call that the upstream refused', async () => {
    const [code, output] = await devCall('github', 'GET', '/repos/zyx/platform-infra/pulls/4', '--json')
    expect([code, JSON.parse(output)]).toEqual([
      4,
      expect.objectContaining({ decision: 'allow', status: 404 }),
    ])
  })

  it('exits 2 for a call that is none', async () => {
    expect((await devCall('github', 'GET'))[0]).toBe(2)
  })

  it('exits 1 where no gateway is', async () => {
    await using call = runToolgate(['dev', 'call', 'github', 'GET', PULL, '--gateway', 'http://127.0.0.1:1'])
    expect([await call.ended, call.output()]).toEqual([
      1,
      expect.stringContaining('start one with: npm start'),
    ])
  })
})

describe('toolgate dev token', () => {
  it('gives a token with which that person is known to the other commands', async () => {
    const { exitCode, printed } = await toolgateHere(['dev', 'token', 'priya', '--admin', admin])
    expect(exitCode).toBe(0)
    const environment = { TOOLGATE_ADMIN: admin, TOOLGATE_ADMIN_TOKEN: printed.trim() }
    const set = ['lock', 'set', 'task:nothing', '--reason', 'to see who asks']
    expect((await toolgateHere(set, { environment })).exitCode).toBe(0)
    const { output } = await toolgateHere(['lock', 'list'], { environment })
    expect(output).toContain('priya@zyx.example')
  })

  it('knows who there is', async () => {
    const { exitCode, output } = await toolgateHere(['dev', 'token', 'nobody', '--admin', admin])
    expect([exitCode, output]).toEqual([2, expect.stringContaining('priya')])
  })
})

describe('people who decide, as the README shows them', () => {
  /** The line of the README that begins so, without the second that npx takes. */
  const lineOf = (commands: readonly string[], beginning: string): string => {
    const line = commands.find((each) => each.startsWith(beginning))
    if (line === undefined) throw new Error(`the README has no command that begins with ${beginning}`)
    return line.replaceAll('npx toolgate', `"${process.execPath}" gateway/main.ts`)
  }
  const inShell = (line: string, environment: Record<string, string>) =>
    runProcess(['sh', '-c', line], { cwd: REPOSITORY, environment })

  it('see a call that waits, approve it, and it is made', async () => {
    const commands = await readmeCommands()
    const made = lineOf(commands, 'npx toolgate dev call github POST')
    await using agent = inShell(`${made} --gateway ${origin}`, {})
    const environment: Record<string, string> = { TOOLGATE_ADMIN: admin }
    const signIn = lineOf(commands, 'export TOOLGATE_ADMIN_TOKEN=')
    await using signedIn = inShell(`${signIn} && echo $TOOLGATE_ADMIN_TOKEN`, environment)
    expect(await signedIn.ended).toBe(0)
    environment['TOOLGATE_ADMIN_TOKEN'] = signedIn.output().trim()
    const waiting = async (): Promise<string> =>
      (await toolgateHere(['approvals', 'list'], { environment })).printed
    await expect.poll(waiting, { timeout: 10_000 }).toContain('github.issues/create-comment')
    const [id = ''] = /[0-9a-f-]{36}/.exec(await waiting()) ?? []
    await using approving = inShell(
      `${lineOf(commands, 'npx toolgate approvals approve ID').replace('ID', id)} --yes`,
      environment,
    )
    expect([await approving.ended, approving.output()]).toEqual([
      0,
      expect.stringMatching(/"Released"[^]*approved;/),
    ])
    expect([await agent.ended, agent.output()]).toEqual([0, expect.stringContaining('decision  allow')])
  })
})

it('toolgate dev lists its parts, and says how to reach a gateway on another port', () => {
  const output = gateway.output()
  for (const part of ['calls', 'operators', 'issuer', 'github', 'jira', 'confluence', 'slack'])
    expect(output).toMatch(new RegExp(`^ {2}${part} +http://127\\.0\\.0\\.1:\\d+`, 'm'))
  expect(output).toContain(`npx toolgate dev tour --gateway ${origin} --admin ${admin}`)
})

it.each([
  ['--port', 'eighty'],
  ['--port', '65536'],
  ['--admin-port', '-1'],
])('toolgate dev %s %s is a mistake, not a start', async (option, value) => {
  expect((await toolgateHere(['dev', `${option}=${value}`])).exitCode).toBe(2)
})

it.each(['65532', '0', 'x'])('toolgate dev world --first-port %s is a mistake', async (first) => {
  const { exitCode, output } = await toolgateHere(['dev', 'world', '--first-port', first])
  expect([exitCode, output]).toEqual([2, expect.stringContaining('not a port with four more')])
})

it('toolgate dev world serves issuer and vendors on five ports in a row, until it is told to stop', async () => {
  const first = await firstOfFreePorts(5)
  await using world = runToolgate(['dev', 'world', '--first-port', String(first)])
  await expect.poll(() => world.output(), { timeout: 10_000 }).toContain('slack')
  expect(world.output().match(/127\.0\.0\.1:\d+/g)).toEqual(
    [0, 1, 2, 3, 4].map((offset) => `127.0.0.1:${first + offset}`),
  )
  expect((await fetch(`http://127.0.0.1:${first}/jwks`)).status).toBe(200)
  world.signal('SIGTERM')
  expect(await world.ended).toBe(0)
})
