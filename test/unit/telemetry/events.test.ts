import { describe, expect, it } from 'vitest'
import type { OutcomeCode } from '../../../gateway/outcome.ts'
import { REFUSALS } from '../../../gateway/refusal.ts'
import { createTelemetry, type Telemetry } from '../../../gateway/telemetry/telemetry.ts'
import { memoryLog } from '../../harness/busy-telemetry.ts'
import { syntheticCall, syntheticOutcome } from '../../harness/synthetic-call.ts'

async function start(): Promise<{ telemetry: Telemetry; lines: ReturnType<typeof memoryLog>['lines'] }> {
  const log = memoryLog()
  const config = { logLevel: 'info', logDestination: 'stdout' } as const
  const telemetry = await createTelemetry({ config, version: '1.2.3', connectors: ['github'], log })
  return { telemetry, lines: log.lines }
}

const valueOf = async (telemetry: Telemetry, series: string): Promise<string | undefined> =>
  (await telemetry.metrics()).text
    .split('\n')
    .find((line) => line.startsWith(`${series} `))
    ?.slice(series.length + 1)

describe('a finished call', () => {
  it('is one line and one count, with the same words', async () => {
    const { telemetry, lines } = await start()
    const call = syntheticCall({ callId: 'call-1' })
    const reasons = [{ code: 'group.not_allowed', rule: 'R010', detail: '' }] as const
    telemetry.events.callFinished(call, syntheticOutcome({ code: 'policy.denied', reasons }), 3.14159)
    expect(lines).toEqual([
      {
        level: 'info',
        event: 'call',
        fields: {
          call_id: 'call-1',
          trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
          peer: '127.0.0.1',
          agent: 'change-review',
          principal: 'mira',
          tenant: 'zyx',
          binding: 'dpop',
          connector: 'github',
          operation: 'github.pulls/get',
          access: 'read',
          method: 'GET',
          decision: 'deny',
          reason: 'policy.denied',
          policy_reasons: 'group.not_allowed',
          policy_reported: undefined,
          risk: 1,
          policy_revision: '2026-11-21.1',
          status: 403,
          upstream_status: undefined,
          duration_ms: 3.1,
          upstream_ms: undefined,
          reply_bytes: 600,
          detail: undefined,
        },
      },
    ])
    const labels = 'connector="github",access="read",decision="deny",reason="policy.denied"'
    expect(await valueOf(telemetry, `toolgate_calls_total{${labels}}`)).toBe('1')
    const reasonLabels = 'connector="github",reason="group.not_allowed"'
    expect(await valueOf(telemetry, `toolgate_policy_reasons_total{${reasonLabels}}`)).toBe('1')
  })

  it.each([
    ['allowed', 'info', 'allow'],
    ['client.gone', 'info', 'allow'],
    ['upstream.truncated', 'warn', 'allow'],
    ['approval.required', 'info', 'hold'],
    ['policy.denied', 'info', 'deny'],
    ['gateway.draining', 'info', 'deny'],
    ['upstream.timeout', 'warn', 'deny'],
    ['store.unavailable', 'warn', 'deny'],
    ['gateway.fault', 'error', 'deny'],
  ] as const)('that ended in %s is %s and counted as %s', async (code, level, decision) => {
    const { telemetry, lines } = await start()
    telemetry.events.callFinished(syntheticCall(), syntheticOutcome({ code }), 1)
    expect(lines).toMatchObject([{ level, fields: { reason: code, decision } }])
  })

  it('at an unconfigured connector is a mistake in the program, not a new series', async () => {
    const { telemetry } = await start()
    const elsewhere = syntheticCall({ connector: 'chosen-by-a-caller' })
    expect(() => telemetry.events.callFinished(elsewhere, syntheticOutcome(), 1)).toThrow(TypeError)
    expect((await telemetry.metrics()).text).not.toContain('chosen-by-a-caller')
    telemetry.useConnectors(['github', 'chosen-by-a-caller'])
    telemetry.events.callFinished(elsewhere, syntheticOutcome(), 1)
  })

  it('that never found a connector is counted under none', async () => {
    const { telemetry } = await start()
    const { arrival } = syntheticCall()
    const outcome = syntheticOutcome({ code: 'route.unknown_connector' })
    telemetry.events.callFinished({ arrival: { ...arrival, addressed: undefined } }, outcome, 1)
    const labels = 'connector="none",access="none",decision="deny",reason="route.unknown_connector"'
    expect(await valueOf(telemetry, `toolgate_calls_total{${labels}}`)).toBe('1')
  })

  it('tells what the gateway added from what the upstream took, in seconds', async () => {
    const { telemetry } = await start()
    telemetry.events.callFinished(syntheticCall(), syntheticOutcome({ upstreamMs: 250 }), 251.5)
    const sum = async (name: string): Promise<number> =>
      Number(await valueOf(telemetry, `${name}_sum{connector="github"}`))
    expect(await sum('toolgate_upstream_duration_seconds')).toBe(0.25)
    expect(await sum('toolgate_call_overhead_duration_seconds')).toBeCloseTo(0.0015)
  })

  it('makes few series, however it ends', async () => {
    const { telemetry } = await start()
    const before = (await telemetry.metrics()).text.split('\n').length
    for (const code of Object.keys(REFUSALS) as OutcomeCode[]) {
      for (let call = 0; call < 20; call++) {
        telemetry.events.callFinished(syntheticCall(), syntheticOutcome({ code }), call)
      }
    }
    const after = (await telemetry.metrics()).text.split('\n').length
    expect(after - before).toBeLessThan(Object.keys(REFUSALS).length + 80)
  })
})

describe('a state', () => {
  it('has no series before anybody says where to look, and follows its source after', async () => {
    const { telemetry } = await start()
    expect(await valueOf(telemetry, 'toolgate_audit_healthy')).toBeUndefined()
    let trouble = ''
    telemetry.watch({ auditTrouble: () => trouble })
    expect(await valueOf(telemetry, 'toolgate_audit_healthy')).toBe('1')
    trouble = 'EIO'
    expect(await valueOf(telemetry, 'toolgate_audit_healthy')).toBe('0')
  })

  it('of a breaker is 1 for the one it is in', async () => {
    const { telemetry } = await start()
    telemetry.watch({ breakers: () => [['github', 'open']] })
    const state = (name: string): Promise<string | undefined> =>
      valueOf(telemetry, `toolgate_breaker_state{connector="github",state="${name}"}`)
    expect([await state('closed'), await state('half-open'), await state('open')]).toEqual(['0', '0', '1'])
  })

  it('of the policy drops the revision that is no longer in force', async () => {
    const { telemetry } = await start()
    let revision = 'one'
    telemetry.watch({ policy: () => ({ revision, digest: 'd' }) })
    expect((await telemetry.metrics()).text).toContain('revision="one"')
    revision = 'two'
    const { text } = await telemetry.metrics()
    expect(text).toContain('revision="two"')
    expect(text).not.toContain('revision="one"')
  })

  it('of dangerous options is shown and said', async () => {
    const { telemetry, lines } = await start()
    telemetry.events.unboundTokens(false)
    expect(lines).toEqual([])
    telemetry.events.unboundTokens(true)
    expect(await valueOf(telemetry, 'toolgate_dangerously_allow_unbound_tokens')).toBe('1')
    expect(lines).toMatchObject([{ level: 'warn', event: 'identity.unbound_tokens_allowed' }])
  })

  it('of the build names the version', async () => {
    const { telemetry } = await start()
    const labels = `version="1.2.3",node="${process.versions.node}"`
    expect(await valueOf(telemetry, `toolgate_build_info{${labels}}`)).toBe('1')
  })
})

it('an error is told by name, code and message, never by what a library hung on it', async () => {
  const { telemetry, lines } = await start()
  const cause = Object.assign(new Error('connect failed', { cause: new TypeError('inner') }), {
    code: 'ECONNREFUSED',
    options: { headers: { authorization: 'secret' } },
  })
  telemetry.events.faulted(cause)
  expect(lines[0]?.fields).toMatchObject({ cause: 'Error ECONNREFUSED: connect failed ← TypeError: inner' })
  expect(JSON.stringify(lines)).not.toContain('secret')
})
