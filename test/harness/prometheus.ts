import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse, stringify } from 'yaml'
import { freePorts } from './free-ports.ts'
import { until } from './until.ts'

const DEPLOYED = join(import.meta.dirname, '../../deploy/prometheus')

export interface ScrapeTarget {
  readonly host: string
  readonly port: number
  /** Bearer token of the operators' listener, when it asks for one. */
  readonly token?: string
}

/** One series of an instant query; the value is as Prometheus wrote it, `NaN` and `+Inf` included. */
interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: string
}

export interface RunningPrometheus extends AsyncDisposable {
  readonly url: string
  query(promql: string): Promise<readonly Sample[]>
  /** Resolves once every target was scraped so many times. */
  scraped(times: number): Promise<void>
  /** Names of the alerts that are pending or firing. */
  alerts(): Promise<readonly string[]>
}

/** Runs promtool; rejects with its output when it finds a mistake. */
export async function promtool(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('promtool', args)
  return stdout
}

/**
 * A real Prometheus with the deployed configuration and alert rules, scraping `targets` every half second instead of
 * every fifteen, with its data in a folder of its own; gone when disposed. Needs Debian's `prometheus` package or
 * `prometheus` and `promtool` on PATH.
 */
export async function startPrometheus(targets: readonly ScrapeTarget[]): Promise<RunningPrometheus> {
  const directory = await mkdtemp(join(tmpdir(), 'toolgate-prometheus-'))
  const configFile = await writeConfig(directory, targets)
  await promtool('check', 'config', configFile)
  const args = [`--config.file=${configFile}`, `--storage.tsdb.path=${join(directory, 'data')}`]
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true })
  return runPrometheus(args, { targets: targets.length, remove })
}

/** A real Prometheus with these arguments on a free port; `remove` is called once it is gone. */
export async function runPrometheus(
  args: readonly string[],
  { targets, remove }: { readonly targets: number; readonly remove: () => Promise<void> },
): Promise<RunningPrometheus> {
  const [port = 0] = await freePorts(1)
  const child = spawn(
    'prometheus',
    [...args, `--web.listen-address=127.0.0.1:${String(port)}`, '--log.level=warn'],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  await once(child, 'spawn')
  const url = `http://127.0.0.1:${String(port)}`
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
    await remove()
  }
  const ready = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error('prometheus ended at start')
    return fetch(`${url}/-/ready`).then(
      (reply) => reply.ok,
      () => false,
    )
  }
  try {
    await until(ready)
  } catch (cause) {
    await stop()
    throw cause
  }
  const query = (promql: string): Promise<readonly Sample[]> => runQuery(url, promql)
  return {
    url,
    query,
    scraped: (times) =>
      until(async () => {
        const counts = await query(`sum_over_time(up{job="toolgate"}[10m])`)
        return counts.length === targets && counts.every(({ value }) => Number(value) >= times)
      }),
    alerts: async () => (await query('ALERTS')).map(({ metric }) => metric['alertname'] ?? ''),
    [Symbol.asyncDispose]: stop,
  }
}

async function writeConfig(directory: string, targets: readonly ScrapeTarget[]): Promise<string> {
  const deployed: unknown = parse(await readFile(join(DEPLOYED, 'prometheus.yml'), 'utf8'))
  if (!isConfig(deployed)) throw new Error('deploy/prometheus/prometheus.yml has no scrape configuration')
  const [job] = deployed.scrape_configs
  const scrapes = targets.map(({ host, port, token }) => ({
    ...job,
    authorization: token === undefined ? undefined : { credentials: token },
    static_configs: [{ targets: [`${host}:${String(port)}`] }],
  }))
  const tokens = new Set(targets.map(({ token }) => token))
  if (tokens.size > 1) throw new Error('targets of one job share one token')
  const config = {
    ...deployed,
    global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' },
    rule_files: [join(DEPLOYED, 'alerts.yml')],
    scrape_configs: [{ ...scrapes[0], static_configs: scrapes.flatMap((scrape) => scrape.static_configs) }],
  }
  const file = join(directory, 'prometheus.yml')
  await writeFile(file, stringify(JSON.parse(JSON.stringify(config))), { mode: 0o600 })
  return file
}

function isConfig(parsed: unknown): parsed is { scrape_configs: [object] } {
  return (
    typeof parsed === 'object' &&
    parsed !== null &&
    'scrape_configs' in parsed &&
    Array.isArray(parsed.scrape_configs) &&
    parsed.scrape_configs.length === 1
  )
}

interface InstantVector {
  readonly status: string
  readonly error?: string
  readonly data?: { readonly result: readonly { metric: Record<string, string>; value: [number, string] }[] }
}

async function runQuery(url: string, promql: string): Promise<readonly Sample[]> {
  const reply = await fetch(`${url}/api/v1/query`, {
    method: 'POST',
    body: new URLSearchParams({ query: promql }),
  })
  const { data, error } = (await reply.json()) as InstantVector
  if (data === undefined) throw new Error(`${error ?? 'no data'}: ${promql}`)
  return data.result.map(({ metric, value }) => ({ metric, value: value[1] }))
}
