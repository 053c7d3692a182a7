import { expect, it } from 'vitest'
import { startBusyTelemetry } from '../harness/busy-telemetry.ts'
import { everyPanelHasData, panelsWithoutData, readDashboard } from '../harness/dashboard.ts'
import { startPrometheus } from '../harness/prometheus.ts'

it('every panel of the dashboard shows data of a gateway that a real Prometheus scrapes', async () => {
  await using busy = await startBusyTelemetry()
  await using prometheus = await startPrometheus([busy])
  await prometheus.scraped(4)
  await everyPanelHasData(prometheus, { numbers: true, rateInterval: '10s' })
  // What the synthetic calls give reason for, and no other alert.
  expect([...new Set(await prometheus.alerts())].sort()).toEqual([
    'ToolgateBreakerOpen',
    'ToolgateCredentialMissing',
    'ToolgateDenialsHigh',
    'ToolgateFaults',
    'ToolgatePolicyFailing',
    'ToolgatePolicySlow',
    'ToolgateProofsReplayed',
  ])

  const dashboard = await readDashboard()
  const target = { refId: 'A', expr: 'toolgate_gone{job=~"$job"}', legendFormat: '' }
  const broken = { ...dashboard, panels: [{ ...dashboard.panels[1], title: 'gone', targets: [target] }] }
  expect(await panelsWithoutData(prometheus, broken as typeof dashboard)).toEqual(['gone (A)'])
})
