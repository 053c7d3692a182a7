/**
 * What `docker compose up` does, without containers: the files of the images in folders of their own, and commands,
 * variables, configurations and secrets of the services from docker-compose.yml.
 */
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { parse } from 'yaml'
import { REPOSITORY } from '../harness/compose-file.ts'
import { everyPanelHasData } from '../harness/dashboard.ts'
import { type NativeCompose, startNativeCompose } from '../harness/native-compose.ts'
import type { RunningPrometheus } from '../harness/prometheus.ts'
import { type ToolgateProcess, untilReady } from '../harness/toolgate-process.ts'

const START_TIMEOUT_MS = 120_000
const PANELS_TIMEOUT_MS = 40_000

let compose: NativeCompose
let gateway: ToolgateProcess
let world: ToolgateProcess
let prometheus: RunningPrometheus
let origin: string
beforeAll(async () => {
  compose = await startNativeCompose()
  origin = `http://127.0.0.1:${compose.ports.calls}`
  await compose.redis()
  gateway = await compose.up('gateway')
  world = await compose.up('world', '--audience', origin, '--first-port', String(compose.ports.world))
  await untilReady(gateway, compose.ports.operators)
  prometheus = await compose.prometheus()
}, START_TIMEOUT_MS)
afterAll(() => compose[Symbol.asyncDispose]())

async function call(path: string): Promise<number | NodeJS.Signals> {
  const made = await compose.run('tour', 'dev', 'call', 'github', 'GET', path, '--gateway', origin)
  return made.ended
}

describe('the services of docker-compose.yml', () => {
  it('are well by their own health checks', async () => {
    expect(await Promise.all(['gateway', 'world'].map((service) => compose.checkHealth(service)))).toEqual([
      0, 0,
    ])
  })

  it('run the tour, and all of it is as it has to be', async () => {
    const tour = await compose.up('tour', '--gateway', origin, '--json')
    expect([await tour.ended, tour.output()]).toEqual([0, expect.stringContaining('"as_expected": true')])
  })

  it('let nobody read metrics without the token', async () => {
    const metrics = `http://127.0.0.1:${compose.ports.operators}/metrics`
    expect((await fetch(metrics)).status).toBe(401)
    const token = (await readFile(join(REPOSITORY, 'deploy/compose/admin-token'), 'utf8')).trim()
    expect((await fetch(metrics, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
  })

  it('load every alert rule', async () => {
    const file = await readFile(join(REPOSITORY, 'deploy/prometheus/alerts.yml'), 'utf8')
    const written = (parse(file) as { groups: { rules: { alert: string }[] }[] }).groups
    const reply = await fetch(`${prometheus.url}/api/v1/rules`)
    const { data } = (await reply.json()) as {
      data: { groups: { rules: { name: string; health: string }[] }[] }
    }
    const loaded = data.groups.flatMap(({ rules }) => rules)
    expect(loaded.map(({ name }) => name).sort()).toEqual(
      written.flatMap(({ rules }) => rules.map(({ alert }) => alert)).sort(),
    )
    expect(loaded.filter(({ health }) => health === 'err')).toEqual([])
  })

  it(
    'show data in every panel of the dashboard',
    async () => {
      await prometheus.scraped(1)
      // A rate is of what happens between two scrapes, and all that the tour did may lie before the first.
      await vi.waitFor(async () => {
        // Beside what the tour did: an error of the upstream.
        expect(await call('/repos/zyx/platform-infra/pulls/4')).toBe(4)
        expect(await call('/repos/zyx/platform-infra/pulls/991')).toBe(0)
        await everyPanelHasData(prometheus, { numbers: true, rateInterval: '30s' })
      }, PANELS_TIMEOUT_MS)
      const counted = await prometheus.query('toolgate_calls_total > 0')
      expect(counted.map(({ metric }) => metric['reason'])).toEqual(
        expect.arrayContaining(['allowed', 'policy.denied', 'limit.rate', 'identity.proof_replayed']),
      )
    },
    2 * PANELS_TIMEOUT_MS,
  )

  it('keep the record on the volume, and seal it within the time that Compose gives', async () => {
    expect(world.output()).toContain('issuer')
    gateway.child.kill('SIGTERM')
    expect(await gateway.ended).toBe(0)
    await access(compose.place('gateway', '/var/lib/toolgate/audit'))
  })
})
