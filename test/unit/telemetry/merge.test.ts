import { describe, expect, it } from 'vitest'
import { mergeMetrics } from '../../../gateway/telemetry/merge.ts'
import { createTelemetry, type Telemetry } from '../../../gateway/telemetry/telemetry.ts'
import { memoryLog } from '../../harness/busy-telemetry.ts'
import { syntheticCall, syntheticOutcome } from '../../harness/synthetic-call.ts'

function worker(): Promise<Telemetry> {
  const config = { logLevel: 'info', logDestination: 'stdout' } as const
  return createTelemetry({ config, version: '1', connectors: ['github'], log: memoryLog() })
}

async function merged(...workers: Telemetry[]): Promise<string> {
  // As between processes: through JSON.
  const json = await Promise.all(
    workers.map(async (one) => JSON.parse(JSON.stringify(await one.metricsJson())) as object[]),
  )
  return (await mergeMetrics(json)).text
}

describe('the metrics of several workers', () => {
  it('add up what is counted and measured', async () => {
    const [one, other] = [await worker(), await worker()]
    for (const { events } of [one, one, other]) events.callFinished(syntheticCall(), syntheticOutcome(), 20)
    const text = await merged(one, other)
    const labels = 'connector="github",access="read",decision="allow",reason="allowed"'
    expect(text).toContain(`toolgate_calls_total{${labels}} 3\n`)
    expect(text).toContain('toolgate_call_duration_seconds_count{connector="github",access="read"} 3\n')
    expect(text).toContain(
      'toolgate_call_duration_seconds_bucket{le="0.025",connector="github",access="read"} 3\n',
    )
  })

  it('show the worst of what must hold everywhere', async () => {
    const [one, other] = [await worker(), await worker()]
    one.watch({ auditTrouble: () => '', breakers: () => [['github', 'open']], storeState: () => 'ready' })
    other.watch({
      auditTrouble: () => 'EIO',
      breakers: () => [['github', 'closed']],
      storeState: () => 'degraded',
    })
    one.events.configRejected(new Error('bad'))
    other.events.configLoaded()
    one.events.unboundTokens(true)
    const text = await merged(one, other)
    expect(text).toContain('toolgate_audit_healthy 0\n')
    expect(text).toContain('toolgate_breaker_state{connector="github",state="open"} 1\n')
    expect(text).toContain('toolgate_store_state{state="degraded"} 1\n')
    expect(text).toContain('toolgate_config_last_reload_successful 0\n')
    expect(text).toContain('toolgate_dangerously_allow_unbound_tokens 1\n')
  })

  it('name the build once, and add what is in flight', async () => {
    const [one, other] = [await worker(), await worker()]
    one.watch({ callsInFlight: () => 2 })
    other.watch({ callsInFlight: () => 5 })
    const text = await merged(one, other)
    expect(text).toContain(`toolgate_build_info{version="1",node="${process.versions.node}"} 1\n`)
    expect(text).toContain('toolgate_calls_in_flight 7\n')
  })

  it('of no worker are empty', async () => {
    expect((await mergeMetrics([])).text.trim()).toBe('')
  })
})
