import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Config } from '../../gateway/config/config.ts'
import { ConfigError } from '../../gateway/config/problem.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'

let toolgate: TestGateway
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'toolgate-reload-'))
  toolgate = await startTestGateway()
})
afterAll(async () => {
  await toolgate[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

/** The configuration as loaded at the start, with some sections replaced. */
function changed(change: Partial<Config>): Config {
  return { ...toolgate.loaded, ...change }
}

const successful = () => toolgate.metric('toolgate_config_last_reload_successful')
const oneCall = {
  name: 'one',
  by: ['agent'],
  match: { connectors: [], operations: [], access: [], agents: [] },
} as const

describe('a new configuration', () => {
  it('is in force for the next call', async () => {
    const rates = [{ ...oneCall, calls: 1, windowMs: 60_000, burst: 1 }]
    await toolgate.gateway.reload(() => changed({ limits: { ...toolgate.loaded.limits, rates } }))
    expect((await toolgate.send('GET', PULL)).status).toBe(200)
    expect(await toolgate.send('GET', PULL)).toMatchObject({ status: 429, code: 'limit.rate' })
    await toolgate.gateway.reload(() => toolgate.loaded)
    expect((await toolgate.send('GET', PULL)).status).toBe(200)
    expect(await successful()).toBe(1)
  })

  it('does not disturb a call that is under way', async () => {
    using _slow = toolgate.fakes.github.behave({ times: 1, delayMs: 300 })
    const reached = toolgate.fakes.github.received(({ target }) => target.endsWith('/files'))
    const call = toolgate.send('GET', `${PULL}/files`)
    await reached
    await toolgate.gateway.reload(() => toolgate.loaded)
    expect((await call).status).toBe(200)
  })

  it('keeps what was counted', async () => {
    const token = toolgate.token()
    const proof = toolgate.proof('GET', PULL, { token })
    expect((await toolgate.send('GET', PULL, { token, proof })).status).toBe(200)
    await toolgate.gateway.reload(() => toolgate.loaded)
    expect((await toolgate.send('GET', PULL, { token, proof })).code).toBe('identity.proof_replayed')
  })
})

describe('a configuration with a mistake', () => {
  const mistakes: [string, () => Config][] = [
    [
      'that its check finds',
      () => {
        throw new ConfigError([{ path: 'workers', reason: 'must be >= 1' }])
      },
    ],
    ['in the policy bundle', () => changed({ policy: { ...toolgate.loaded.policy, bundle: badBundle() } })],
    ['of a connector nobody knows', () => changed({ connectors: { unknown: connectorOfGithub() } })],
    ['of a setting that needs a restart', () => changed({ workers: 7 })],
    ['in the CA file of an upstream', () => changed({ connectors: { github: trusting(badBundle()) } })],
    ['of a port, which needs a restart too', () => changed({ connectors: { github: onPort(9443) } })],
  ]

  it.each(mistakes)('%s is refused, and the last good one stays in force', async (_what, load) => {
    await toolgate.gateway.reload(load)
    expect(await successful()).toBe(0)
    expect((await toolgate.send('GET', PULL)).status).toBe(200)
    await toolgate.gateway.reload(() => toolgate.loaded)
    expect(await successful()).toBe(1)
  })
})

function badBundle(): string {
  const path = join(folder, 'bad.tar.gz')
  writeFileSync(path, 'not a bundle')
  return path
}

function trusting(caFile: string) {
  return { ...connectorOfGithub(), caFile }
}

function onPort(port: number) {
  const github = connectorOfGithub()
  return { ...github, address: { ...github.address, port } }
}

function connectorOfGithub() {
  const { github } = toolgate.loaded.connectors
  if (github === undefined) throw new Error('the test gateway has no github connector')
  return github
}
