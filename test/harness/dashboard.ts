import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunningPrometheus } from './prometheus.ts'

/** The parts of Grafana's classic dashboard model that tests look at. */
export interface Dashboard {
  readonly title: string
  readonly schemaVersion: number
  readonly editable: boolean
  readonly templating: { readonly list: readonly DashboardVariable[] }
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr?: string }[] }
  readonly panels: readonly DashboardPanel[]
}

interface DashboardVariable {
  readonly type: string
  readonly name: string
  readonly label: string
  readonly query: string | { readonly query: string }
  readonly datasource?: { readonly uid: string }
  readonly refresh: number
  readonly multi: boolean
  readonly includeAll: boolean
  readonly allValue?: string
}

export interface DashboardPanel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly datasource?: { readonly type: string; readonly uid: string }
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number }
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
  readonly targets?: readonly {
    readonly refId: string
    readonly expr: string
    readonly legendFormat: string
  }[]
}

export interface PanelQuery {
  readonly panel: string
  readonly refId: string
  /** As it stands in the dashboard, with its variables. */
  readonly template: string
  /** As Grafana would send it with every variable at "All". */
  readonly promql: string
}

export async function readDashboard(): Promise<Dashboard> {
  const file = join(import.meta.dirname, '../../deploy/grafana/dashboards/toolgate.json')
  return JSON.parse(await readFile(file, 'utf8')) as Dashboard
}

/** Every query of every panel; `rateInterval` is what Grafana would make of `$__rate_interval`. */
export function panelQueries(dashboard: Dashboard, rateInterval = '1m'): PanelQuery[] {
  return dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ refId, expr }) => ({
      panel: title,
      refId,
      template: expr,
      promql: interpolate(expr, rateInterval),
    })),
  )
}

/** Fills in variables as Grafana does when all of them are at "All". */
export function interpolate(expr: string, rateInterval = '1m'): string {
  return expr.replaceAll('$__rate_interval', rateInterval).replaceAll(/\$(?:job|instance|connector)\b/g, '.+')
}

/**
 * Runs every panel's queries and returns those that came back empty, as `panel (refId)`. With `numbers`, a query that
 * gives nothing but NaN counts as empty too: what divides by the traffic of the last minute needs some.
 */
export async function panelsWithoutData(
  prometheus: Pick<RunningPrometheus, 'query'>,
  dashboard: Dashboard,
  { numbers = false, rateInterval = '1m' }: { numbers?: boolean; rateInterval?: string } = {},
): Promise<string[]> {
  const empty: string[] = []
  for (const { panel, refId, promql } of panelQueries(dashboard, rateInterval)) {
    const samples = await prometheus.query(promql)
    const found = numbers ? samples.filter(({ value }) => value !== 'NaN') : samples
    if (found.length === 0) empty.push(`${panel} (${refId})`)
  }
  return empty
}

/** Throws, naming them, when a panel of the dashboard has no data. */
export async function everyPanelHasData(
  prometheus: Pick<RunningPrometheus, 'query'>,
  options?: { numbers?: boolean; rateInterval?: string },
): Promise<void> {
  const empty = await panelsWithoutData(prometheus, await readDashboard(), options)
  if (empty.length > 0) throw new Error(`panels without data: ${empty.join(', ')}`)
}
