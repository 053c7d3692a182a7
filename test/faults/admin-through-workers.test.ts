import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freePorts } from '../harness/free-ports.ts'
import { type Issuer, startIssuer } from '../harness/issuer.ts'
import { type Neighbours, startNeighbours } from '../harness/neighbours.ts'
import { configFileIn, runToolgate, type ToolgateProcess, untilReady } from '../harness/toolgate-process.ts'
import { until } from '../harness/until.ts'

const AUDIENCE = 'https://admin.zyx.example'

let neighbours: Neighbours
let people: Issuer
let toolgate: ToolgateProcess
let admin = ''
let configure: (issuers: readonly object[]) => Promise<void>
beforeAll(async () => {
  ;[neighbours, people] = await Promise.all([startNeighbours(), startIssuer()])
  const { folder, issuer, fakes, redis } = neighbours
  const [port = 0, adminPort = 0] = await freePorts(2)
  const settings = (issuers: readonly object[]) => ({
    listen: {
      port,
      admin: {
        port: adminPort,
        people: { issuers },
      },
      drain: { graceMs: 0, deadlineMs: 5_000 },
    },
    workers: 2,
    identity: {
      issuers: [{ issuer: issuer.issuer, audiences: issuer.config.audiences, jwks: { uri: issuer.jwksUri } }],
    },
    store: { kind: 'redis', redis: { url: redis.url } },
    connectors: {
      github: {
        origin: fakes.github.origin,
        credential: { type: 'bearer', token: 'env:GITHUB' },
        allowAddresses: ['127.0.0.0/8'],
      },
    },
    telemetry: { logDestination: 'stderr' },
  })
  configure = (issuers) => writeFile(configFileIn(folder.path), JSON.stringify(settings(issuers)))
  await configure([{ issuer: people.issuer, audiences: [AUDIENCE], jwks: { uri: people.jwksUri } }])
  toolgate = runToolgate(['start', '--config', configFileIn(folder.path)], fakes.environment)
  await untilReady(toolgate, adminPort)
  admin = `http://127.0.0.1:${adminPort}/admin/v1`
})
afterAll(async () => {
  for (const part of [toolgate, people, neighbours]) await part[Symbol.asyncDispose]()
})

interface LockList {
  readonly locks: readonly { readonly reason: string; readonly author: unknown }[]
}

const headers = (): Record<string, string> => {
  const claims = {
    aud: AUDIENCE,
    client_id: 'toolgate-cli',
    sub: 'priya@zyx.example',
    groups: ['change-approvers'],
  }
  return { authorization: `Bearer ${people.token({ claims })}`, 'content-type': 'application/json' }
}
const setLock = async (reason: string) => {
  const body = JSON.stringify({ scope: 'task:nothing', reason })
  return fetch(`${admin}/locks`, { method: 'POST', headers: headers(), body })
}
const reasons = async (): Promise<readonly string[]> => {
  const reply = await fetch(`${admin}/locks`, { headers: headers() })
  return ((await reply.json()) as LockList).locks.map(({ reason }) => reason)
}

it('what a person asks at the primary is done by a worker in their name, and every worker knows of it', async () => {
  const set = await setLock('asked of one')
  expect(set.status).toBe(201)
  expect(JSON.stringify(await set.json())).toContain('priya@zyx.example')
  // Turn by turn, so that both are asked.
  await until(async () =>
    (await Promise.all([reasons(), reasons()])).every((all) => all.includes('asked of one')),
  )
})

it('a worker that dies takes no request of people with it but those that it had', async () => {
  const state = (await (await fetch(`${admin}/status`)).json()) as {
    readonly workers: Record<string, { readonly process: { readonly pid: number } }>
  }
  const [pid = 0] = Object.values(state.workers).map(({ process }) => process.pid)
  process.kill(pid, 'SIGKILL')
  const statuses = new Set<number>()
  await until(async () => {
    statuses.add((await fetch(`${admin}/locks`, { headers: headers() })).status)
    const now = (await (await fetch(`${admin}/status`)).json()) as typeof state
    return Object.values(now.workers).filter((worker) => worker.process.pid !== pid).length === 2
  })
  // At most one request was with it when it died, and was told that nobody knows.
  expect([...statuses].filter((status) => status !== 200 && status !== 502)).toEqual([])
  expect((await setLock('after it died')).status).toBe(201)
})

it('people who are taken out of the configuration are known no more, without a restart', async () => {
  const status = async (): Promise<number> => (await fetch(`${admin}/locks`, { headers: headers() })).status
  await configure([])
  await expect.poll(status, { timeout: 20_000 }).toBe(401)
  await configure([{ issuer: people.issuer, audiences: [AUDIENCE], jwks: { uri: people.jwksUri } }])
  await expect.poll(status, { timeout: 20_000 }).toBe(200)
})
