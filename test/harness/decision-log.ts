import type { DecisionLogConfig } from '../../gateway/config/decision-log-config.ts'
import type { CallId } from '../../gateway/exchange.ts'
import { type Clock, systemClock } from '../../gateway/lib/clock.ts'
import { createRandomPool } from '../../gateway/lib/random-pool.ts'
import { createUuidV7 } from '../../gateway/lib/uuid-v7.ts'
import { DecisionLog, type DecisionLogEvent } from '../../gateway/policy/decision-log/decision-log.ts'
import type { LogRules } from '../../gateway/policy/decision-log/log-rules.ts'
import { aCall } from '../unit/policy/call.ts'
import { aDecision } from '../unit/policy/decision-log/an-event.ts'
import type { OpaCollector } from './opa-collector.ts'

type Settings = Partial<Omit<DecisionLogConfig, 'buffer' | 'service'>> & {
  readonly buffer?: Partial<DecisionLogConfig['buffer']>
  readonly service?: Partial<DecisionLogConfig['service']>
}

/** As toolgate.yaml would have it, with short delays. */
export function decisionLogConfig(url: string, settings: Settings = {}): DecisionLogConfig {
  return {
    resource: 'logs',
    trigger: 'periodic',
    minDelayMs: 10,
    maxDelayMs: 20,
    uploadLimitBytes: 32_768,
    maxDecisionsPerSecond: undefined,
    requestHeaders: [],
    ...settings,
    service: {
      url,
      timeoutMs: 5_000,
      token: undefined,
      clientCertificateFile: undefined,
      clientKeyFile: undefined,
      caFile: undefined,
      ...settings.service,
    },
    buffer: {
      limitBytes: 1 << 20,
      limitEvents: 10_000,
      onFull: 'drop',
      blockTimeoutMs: 1_000,
      directory: undefined,
      ...settings.buffer,
    },
  }
}

export const UPLOAD_NEVER = { minDelayMs: 3_600_000, maxDelayMs: 3_600_000 }

export interface TestDecisionLog extends AsyncDisposable {
  readonly log: DecisionLog
  readonly told: readonly DecisionLogEvent[]
  /** Makes so many decisions, one call each; their ids. */
  decide(count?: number, rules?: LogRules): readonly string[]
}

const NO_RULES: LogRules = { evaluateLog: () => ({ defined: false }) }
const uuid = createUuidV7(() => Date.now(), createRandomPool())

export async function openDecisionLog(
  config: DecisionLogConfig,
  { token, clock = systemClock }: { readonly token?: () => string; readonly clock?: Clock } = {},
): Promise<TestDecisionLog> {
  const told: DecisionLogEvent[] = []
  const log = await DecisionLog.open({
    config,
    labels: { id: '0a9e3f0e-5a55-4b55-8bd5-0f7d3f5f3a10', version: '1' },
    token,
    clock,
    onEvent: (event) => void told.push(event),
  })
  return {
    log,
    told,
    decide: (count = 1, rules = NO_RULES) =>
      Array.from({ length: count }, () => {
        const callId = uuid() as CallId
        const call = aCall()
        const trace = { ...call.trace, traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }
        log.record({ ...call, trace, arrival: { ...call.arrival, callId } }, aDecision(), rules)
        return callId
      }),
    [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
  }
}

/** The decisions that arrived, in their order. */
export const idsOf = ({ events }: OpaCollector): unknown[] => events.map((event) => event['decision_id'])
