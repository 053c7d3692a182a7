/** What the engine would find, or would not, where none runs. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { readText } from '../../../gateway/config/load.ts'
import { mountsOf, readComposeFile, REPOSITORY, serviceOf } from '../../harness/compose-file.ts'

const compose = readComposeFile()
const services = Object.entries(compose.services)

function yamlAt(path: string): unknown {
  return parse(readFileSync(join(REPOSITORY, path), 'utf8'))
}

interface GatewaySettings {
  readonly listen: {
    readonly port: number
    readonly admin: { readonly port: number; readonly token: string }
    readonly drain: { readonly graceMs: number; readonly deadlineMs: number }
  }
  readonly store: { readonly redis: { readonly url: string } }
}
const settings = yamlAt('deploy/compose/toolgate.yaml') as GatewaySettings
const settingsText = readFileSync(join(REPOSITORY, 'deploy/compose/toolgate.yaml'), 'utf8')

interface PrometheusSettings {
  readonly global: { readonly scrape_interval: string }
  readonly rule_files: readonly string[]
  readonly scrape_configs: readonly [
    {
      readonly authorization: { readonly credentials_file: string }
      readonly static_configs: readonly [{ readonly targets: readonly [string] }]
    },
  ]
}
const prometheus = yamlAt('deploy/prometheus/prometheus.yml') as PrometheusSettings

describe.each(services)('the service %s', (_, service) => {
  it('can change nothing of its image and gain no privilege', () => {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    })
  })

  it('mounts what exists, and the repository read-only', () => {
    const mounts = mountsOf(compose, service)
    const named = mounts.filter(({ isBind }) => !isBind).map(({ source }) => source)
    expect(Object.keys(compose.volumes)).toEqual(expect.arrayContaining(named))
    const binds = mounts.filter(({ isBind }) => isBind)
    expect(binds.filter(({ source }) => !existsSync(join(REPOSITORY, source)))).toEqual([])
    expect(binds.filter(({ readOnly }) => !readOnly)).toEqual([])
  })

  it('is given secrets from files: Compose refuses any other source for a read-only service', () => {
    for (const name of service.secrets ?? []) expect(compose.secrets[name]?.file).toMatch(/^\.\//)
    expect(service.configs ?? []).toEqual([])
  })

  it('is published on loopback only', () => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/)
  })

  it('comes from an image that says its version, or from this repository', () => {
    expect(service.image ?? `built from ${service.build?.context}`).toMatch(/:v?\d+\.\d+|^built from \.$/)
  })
})

describe('the gateway', () => {
  const gateway = serviceOf(compose, 'gateway')
  const targets = mountsOf(compose, gateway).map(({ target }) => target)

  it('has every file and variable that its configuration names', () => {
    const files = [...settingsText.matchAll(/file:([\w/.-]+)/g)].map(([, file = '']) => file)
    const variables = [...settingsText.matchAll(/env:(\w+)/g)].map(([, name = '']) => name)
    expect(targets).toEqual(expect.arrayContaining(files))
    expect(Object.keys(gateway.environment ?? {})).toEqual(expect.arrayContaining(variables))
    expect(new URL(settings.store.redis.url).hostname).toBe('redis')
  })

  it('writes below a volume whatever it writes, also what its configuration leaves to defaults', () => {
    const { config } = readText(settingsText, { environment: {}, folder: '/etc/toolgate' })
    const { directory, disclosures, exports } = config.audit
    const files = Object.values(exports).flatMap(({ file = [] }) => file)
    const written = [
      directory,
      disclosures.directory,
      disclosures.keyFile,
      config.store.controlFile,
      ...files,
    ]
    const volumes = mountsOf(compose, gateway).filter(({ isBind, readOnly }) => !isBind && !readOnly)
    expect(files).toHaveLength(1)
    expect(written.filter((path) => !volumes.some(({ target }) => path.startsWith(`${target}/`)))).toEqual([])
  })

  it('publishes the ports that it listens on', () => {
    expect(gateway.ports).toEqual([
      `127.0.0.1:${settings.listen.port}:${settings.listen.port}`,
      `127.0.0.1:${settings.listen.admin.port}:${settings.listen.admin.port}`,
    ])
  })

  it('is given longer to stop than it takes to drain', () => {
    const { graceMs, deadlineMs } = settings.listen.drain
    const [, seconds] = /^(\d+)s$/.exec(gateway.stop_grace_period ?? '') ?? []
    expect(Number(seconds) * 1_000).toBeGreaterThan(graceMs + deadlineMs)
  })
})

describe('redis', () => {
  it('begins as the user that it would step down to, which takes capabilities it does not have', () => {
    expect(serviceOf(compose, 'redis').user).toBe('redis')
  })
})

describe('prometheus', () => {
  it('finds its rules and the operators token, and asks the gateway at its operators port', () => {
    const [{ authorization, static_configs: hosts }] = prometheus.scrape_configs
    const mounted = mountsOf(compose, serviceOf(compose, 'prometheus')).map(({ target }) => target)
    expect(mounted).toContain(authorization.credentials_file)
    expect(settings.listen.admin.token).toBe(`file:${authorization.credentials_file}`)
    for (const file of prometheus.rule_files)
      expect(existsSync(join(REPOSITORY, 'deploy/prometheus', file))).toBe(true)
    expect(hosts[0].targets).toEqual([`gateway:${settings.listen.admin.port}`])
  })
})

describe('grafana', () => {
  const grafana = serviceOf(compose, 'grafana')
  const { providers } = yamlAt('deploy/grafana/provisioning/dashboards/toolgate.yml') as {
    providers: [{ options: { path: string } }]
  }
  const { datasources } = yamlAt('deploy/grafana/provisioning/datasources/prometheus.yml') as {
    datasources: [{ url: string; jsonData: { timeInterval: string } }]
  }

  it('finds its provisioning and the dashboards where they are mounted', () => {
    const mounts = new Map(mountsOf(compose, grafana).map(({ source, target }) => [target, source]))
    expect(mounts.get('/etc/grafana/provisioning')).toBe('./deploy/grafana/provisioning')
    expect(mounts.get(providers[0].options.path)).toBe('./deploy/grafana/dashboards')
    const home = grafana.environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? ''
    expect(home.startsWith(`${providers[0].options.path}/`)).toBe(true)
    expect(
      existsSync(join(REPOSITORY, 'deploy/grafana/dashboards', home.slice(providers[0].options.path.length))),
    ).toBe(true)
  })

  it('asks the Prometheus of this file, and counts on its scrape interval', () => {
    const [{ url, jsonData }] = datasources
    expect(Object.keys(compose.services)).toContain(new URL(url).hostname)
    expect(jsonData.timeInterval).toBe(prometheus.global.scrape_interval)
  })

  it('writes only to memory', () => {
    expect(grafana.tmpfs).toEqual(['/var/lib/grafana', '/tmp'])
  })
})
