/** The rules that Grafana's dashboard linter has for dashboards that others import, as tests. */
import { parser } from '@prometheus-io/lezer-promql'
import { describe, expect, it } from 'vitest'
import { interpolate, panelQueries, readDashboard, type DashboardPanel } from '../harness/dashboard.ts'

const dashboard = await readDashboard()
const panels = dashboard.panels.filter(({ type }) => type !== 'row')
const byTitle = (panel: DashboardPanel): [string, DashboardPanel] => [panel.title, panel]
const queries = panelQueries(dashboard).map((query) => [`${query.panel} (${query.refId})`, query] as const)

function mistakesIn(promql: string): string[] {
  const mistakes: string[] = []
  parser.parse(promql).iterate({
    enter: ({ type, from, to }) => {
      if (type.isError) mistakes.push(promql.slice(Math.max(0, from - 10), to + 10))
    },
  })
  return mistakes
}

/** Each selector of the query: its metric, its matchers and whether a range follows. */
function selectorsOf(promql: string): { metric: string; matchers: string; ranged: boolean }[] {
  const selectors: { metric: string; matchers: string; ranged: boolean }[] = []
  for (const [, metric = '', matchers = '', range] of promql.matchAll(/([a-z_:]+)\{([^}]*)\}(\[)?/g)) {
    selectors.push({ metric, matchers, ranged: range !== undefined })
  }
  return selectors
}

describe('the dashboard', () => {
  it('is of the model that every supported Grafana reads, and is changed in git only', () => {
    expect([dashboard.schemaVersion, dashboard.editable]).toEqual([42, false])
  })

  it('lets its user choose the data source', () => {
    const variable = dashboard.templating.list.find(({ name }) => name === 'datasource')
    expect(variable).toMatchObject({ type: 'datasource', query: 'prometheus', label: 'Data source' })
  })

  it.each(['job', 'instance', 'connector'])('lets its user choose any %s', (name) => {
    expect(dashboard.templating.list.find((variable) => variable.name === name)).toMatchObject({
      type: 'query',
      datasource: { uid: '${datasource}' },
      multi: true,
      includeAll: true,
      // "All" must match no series without the label, and any with it.
      allValue: '.+',
      // Read again when the time range changes: instances come and go.
      refresh: 2,
    })
  })

  it('asks the chosen data source for the values of its variables, in selectors that parse', () => {
    for (const { type, query } of dashboard.templating.list) {
      if (type !== 'query' || typeof query === 'string') continue
      const [, selector = ''] = /^label_values\((.+), \w+\)$/.exec(query.query) ?? []
      expect(selector).not.toBe('')
      expect(mistakesIn(interpolate(selector))).toEqual([])
    }
  })

  it('annotates with queries that parse', () => {
    for (const { expr = '' } of dashboard.annotations.list) expect(mistakesIn(interpolate(expr))).toEqual([])
  })

  it('gives every panel an id and a place of its own', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from(
        { length: w * h },
        (_, cell) => `${String(x + (cell % w))},${String(y + Math.trunc(cell / w))}`,
      ),
    )
    expect(new Set(cells).size).toBe(cells.length)
    expect(Math.max(...dashboard.panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24)
  })
})

describe.each(panels.map(byTitle))('the panel %s', (_, panel) => {
  it('says what it shows, in which unit, from the chosen data source', () => {
    expect(panel.description?.length ?? 0).toBeGreaterThan(8)
    expect(panel.fieldConfig?.defaults.unit ?? '').not.toBe('')
    expect(panel.datasource).toEqual({ type: 'prometheus', uid: '${datasource}' })
    expect(panel.targets?.length ?? 0).toBeGreaterThan(0)
  })

  it('names each of its series', () => {
    for (const { legendFormat } of panel.targets ?? []) expect(legendFormat).not.toBe('')
  })
})

describe.each(queries)('the query of %s', (_, { template, promql }) => {
  it('parses', () => {
    expect(mistakesIn(promql)).toEqual([])
  })

  it('keeps to the chosen jobs and instances', () => {
    const selectors = selectorsOf(template)
    expect(selectors.length).toBeGreaterThan(0)
    for (const { matchers } of selectors) {
      expect(matchers).toContain('job=~"$job"')
      expect(matchers).toContain('instance=~"$instance"')
    }
  })

  it('reads counters and buckets as rates, over the interval that fits the zoom', () => {
    for (const [, range] of template.matchAll(/\[([^\]]+)\]/g)) expect(range).toBe('$__rate_interval')
    const wrong = selectorsOf(template)
      // How many calls the start found is a fact of that start, not a rate.
      .filter(({ metric }) => metric !== 'toolgate_audit_calls_in_doubt_total')
      .filter(({ metric, ranged }) => ranged !== /_(?:total|bucket)$/.test(metric))
    expect(wrong).toEqual([])
  })
})

it('the parser finds a mistake when there is one', () => {
  expect(mistakesIn('sum(rate(toolgate_calls_total[1m])')).not.toEqual([])
})
