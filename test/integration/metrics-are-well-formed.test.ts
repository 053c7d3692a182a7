import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text as readAll } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { mergeMetrics } from '../../gateway/telemetry/merge.ts'
import { startBusyTelemetry } from '../harness/busy-telemetry.ts'

/** What promtool has to say of an exposition; empty when nothing. */
async function lint(exposition: string): Promise<string> {
  const child = spawn('promtool', ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(exposition)
  const [stdout, stderr] = await Promise.all([
    readAll(child.stdout),
    readAll(child.stderr),
    once(child, 'close'),
  ])
  // Names that prom-client's own default metrics have; ours are held to every rule.
  return `${stdout}${stderr}`
    .split('\n')
    .filter((line) => line.startsWith('toolgate_') || line.startsWith('error'))
    .join('\n')
}

it('promtool finds nothing wrong with the metrics of one process or of several', async () => {
  await using one = await startBusyTelemetry()
  await using other = await startBusyTelemetry()
  expect(await lint((await one.telemetry.metrics()).text)).toBe('')
  const merged = await mergeMetrics([await one.telemetry.metricsJson(), await other.telemetry.metricsJson()])
  expect(await lint(merged.text)).toBe('')
  expect(await lint('# TYPE toolgate_x_total gauge\ntoolgate_x_total 1\n')).not.toBe('')
})
