import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { createTelemetry } from '../../gateway/telemetry/telemetry.ts'
import { memoryLog } from '../harness/busy-telemetry.ts'
import { promtool } from '../harness/prometheus.ts'

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: {
    readonly summary: string
    readonly description: string
    readonly runbook_url: string
  }
}

const root = join(import.meta.dirname, '../..')
const alerts = join(root, 'deploy/prometheus/alerts.yml')
const cases = join(root, 'deploy/prometheus/alerts.test.yml')
const { groups } = parse(await readFile(alerts, 'utf8')) as { groups: { rules: Rule[] }[] }
const rules = groups.flatMap((group) => group.rules)

it('promtool accepts the rules and finds that each fires in its case and not beside it', async () => {
  await promtool('check', 'rules', alerts)
  await promtool('check', 'config', '--syntax-only', join(root, 'deploy/prometheus/prometheus.yml'))
  expect(await promtool('test', 'rules', cases)).toContain('SUCCESS')
})

describe.each(rules.map((rule): [string, Rule] => [rule.alert, rule]))('%s', (name, rule) => {
  it('has a case, a severity and a page that says what to do', async () => {
    expect(await readFile(cases, 'utf8')).toContain(`alertname: ${name}\n`)
    expect(['page', 'ticket']).toContain(rule.labels.severity)
    expect(rule.annotations.runbook_url).toMatch(/^deploy\/runbooks\/[a-z-]+\.md$/)
    await access(join(root, rule.annotations.runbook_url))
    expect(await readFile(join(root, rule.annotations.runbook_url), 'utf8')).toContain(`\`${name}\``)
  })

  it('asks for metrics that the gateway has', async () => {
    const telemetry = await createTelemetry({
      config: { logLevel: 'info', logDestination: 'stdout' },
      version: '0',
      connectors: [],
      log: memoryLog(),
    })
    const { text } = await telemetry.metrics()
    for (const [metric] of rule.expr.matchAll(/toolgate_[a-z_]+/g)) {
      expect(text).toContain(`# TYPE ${metric.replace(/_bucket$/, '')} `)
    }
  })
})
