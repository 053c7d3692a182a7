import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CallId, Progress } from '../../gateway/exchange.ts'
import type { Outcome, OutcomeCode } from '../../gateway/outcome.ts'
import { REFUSALS } from '../../gateway/refusal.ts'
import type { Log } from '../../gateway/telemetry/log.ts'
import { createTelemetry, type Telemetry } from '../../gateway/telemetry/telemetry.ts'
import { syntheticCall, syntheticOutcome } from './synthetic-call.ts'

export interface BusyTelemetry extends AsyncDisposable {
  readonly telemetry: Telemetry
  readonly host: '127.0.0.1'
  /** Port of a listener that serves `/metrics`. */
  readonly port: number
}

/** A log that keeps its lines. */
export function memoryLog(): Log & { readonly lines: { level: string; event: string; fields: object }[] } {
  const lines: { level: string; event: string; fields: object }[] = []
  return {
    lines,
    write: (level, event, fields) => lines.push({ level, event, fields }),
    lostLines: () => 0,
    reopen: () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** The gateway's telemetry behind a real `/metrics`, fed with calls that end in every way until it is disposed. */
export async function startBusyTelemetry(): Promise<BusyTelemetry> {
  const telemetry = await createTelemetry({
    config: { logLevel: 'info', logDestination: 'stdout' },
    version: '0.1.0',
    connectors: ['github', 'slack'],
    log: memoryLog(),
  })
  bringUp(telemetry)
  const timer = setInterval(() => oneOfEverything(telemetry), 50)
  const server = createServer((_, response) => {
    void telemetry.metrics().then(({ contentType, text }) => {
      response.writeHead(200, { 'content-type': contentType }).end(text)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    telemetry,
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function bringUp(telemetry: Telemetry): void {
  const { events } = telemetry
  events.configLoaded()
  events.policyEvent({
    type: 'activated',
    digest: 'sha256:3f1c',
    revision: '2026-11-21.1',
    bundles: [{ name: 'policy', digest: 'sha256:3f1c', revision: '2026-11-21.1', roots: ['gateway'] }],
    behind: 0,
    loadMs: 40,
  })
  events.unboundTokens(false)
  telemetry.watch({
    callsInFlight: () => 3,
    auditQueuedBytes: () => 0,
    auditTrouble: () => '',
    auditTree: () => ({ size: 1_204, publishedAtMs: Date.now() }),
    fleetLog: () => ({ logs: 2, healthy: true, quorumAtMs: Date.now() }),
    exports: () => [{ name: 'siem', lagEntries: 4, lagSeconds: 2 }],
    decisionLog: () => ({ bufferBytes: 2_048, events: 2, lagSeconds: 3 }),
    approvals: () => ({
      pending: { approval: { count: 2, oldestMs: 40_000 }, review: { count: 1, oldestMs: 3_600_000 } },
      isUp: true,
    }),
    heldPlaces: () => ({ taken: 2, most: 1_000 }),
    locks: () => ({ inForce: [], state: 'fresh', epoch: 7, newsAgeMs: 40 }),
    storeState: () => 'ready',
    breakers: () => [
      ['github', 'closed'],
      ['slack', 'open'],
    ],
    policy: () => ({ digest: 'sha256:3f1c', revision: '2026-11-21.1' }),
    policyMemoryBytes: () => 4_194_304,
  })
}

function oneOfEverything({ events, exportMetrics }: Telemetry): void {
  exportMetrics.delivered('siem', 2)
  exportMetrics.failed('siem', 'target')
  for (const connector of ['github', 'slack']) {
    for (const access of ['read', 'write', 'execute'] as const) {
      const call = syntheticCall({ connector, access })
      for (const code of everyCode()) events.callFinished(as(call, code), outcomeOf(code), 14)
    }
  }
  const { arrival } = syntheticCall()
  const nowhere: Progress = { arrival: { ...arrival, addressed: undefined } }
  events.callFinished(nowhere, outcomeOf('route.unknown_connector'), 1)
  events.requestUnparsed({
    callId: 'u' as CallId,
    receivedAtMs: 0,
    peerAddress: '127.0.0.1',
    refusal: { code: 'request.malformed' },
    status: 400,
  })
  events.policyEvaluated(0.02)
  events.policyEvent({ type: 'over_budget', elapsedMs: 140 })
  events.policyEvent({ type: 'thread_ended', cause: new Error('an evaluation took more than 100 ms') })
  events.policyEvent({ type: 'instance_failed', cause: new Error('the policy aborted') })
  events.policyBreakerOpened({ tenant: 'zyx-bank', issuer: 'https://issuer.example', id: 'mallory' })
  events.identity.tokenLookedUp('hit')
  events.identity.tokenLookedUp('miss')
  events.identity.keysLoaded({ issuer: 'https://issuer.example' })
  events.storeAnswered(0.4)
  events.store.connectionFailed(new Error('ECONNRESET'))
  events.breakerChanged('github', 'half-open')
  events.auditAppended('flushed', 0.1)
  events.auditAppended('strict', 2)
  events.auditSynced(2)
}

function everyCode(): OutcomeCode[] {
  return [...(Object.keys(REFUSALS) as OutcomeCode[]), 'allowed', 'client.gone', 'upstream.truncated']
}

function as(call: Progress, code: OutcomeCode): Progress {
  if (!code.startsWith('limit.') && !code.startsWith('breaker.')) return call
  const { lease: _, ...refused } = call
  return refused
}

function outcomeOf(code: OutcomeCode): Outcome {
  return syntheticOutcome({
    code,
    reasons: code === 'policy.denied' ? [{ code: 'group.not_allowed', rule: 'R010', detail: '' }] : [],
  })
}
