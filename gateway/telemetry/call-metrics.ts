import type { Outcome, OutcomeCode, Progress } from '../exchange.ts'
import {
  closedLabel,
  decisionOf,
  isLimiterRefusal,
  NONE,
  OUTCOME_CODES,
  type AccessLabel,
  type LimiterVerdict,
} from './labels.ts'
import type { Metrics } from './metrics.ts'

interface Counting {
  inc(value?: number): void
}

interface Observing {
  observe(value: number): void
}

/** The series of one connector and access, looked up once and kept: few, and known from the configuration. */
interface Handles {
  readonly duration: Observing
  readonly overhead: Observing
  readonly upstream: Observing
  readonly replyBytes: Counting
  readonly byCode: Map<OutcomeCode, Counting>
}

export interface CallMetrics {
  count(call: Progress, outcome: Outcome, durationMs: number): void
}

/** Counts finished calls; `connectors` is the closed set of the label, read anew for every new series. */
export function createCallMetrics(metrics: Metrics, connectors: () => ReadonlySet<string>): CallMetrics {
  const kept = new Map<string, Handles>()
  const verdicts = new Map<LimiterVerdict, Counting>()

  const handlesOf = (connector: string, access: AccessLabel): Handles => {
    const key = `${connector}\n${access}`
    const known = kept.get(key)
    if (known !== undefined) return known
    if (connector !== NONE) closedLabel(connectors(), connector)
    const made: Handles = {
      duration: metrics.callSeconds.labels(connector, access),
      overhead: metrics.overheadSeconds.labels(connector),
      upstream: metrics.upstreamSeconds.labels(connector),
      replyBytes: metrics.replyBytes.labels(connector),
      byCode: new Map(),
    }
    kept.set(key, made)
    return made
  }
  const countCode = (handles: Handles, connector: string, access: AccessLabel, code: OutcomeCode): void => {
    let counting = handles.byCode.get(code)
    if (counting === undefined) {
      closedLabel(OUTCOME_CODES, code)
      counting = metrics.calls.labels(connector, access, decisionOf(code), code)
      handles.byCode.set(code, counting)
    }
    counting.inc()
  }
  const countVerdict = (verdict: LimiterVerdict): void => {
    let counting = verdicts.get(verdict)
    if (counting === undefined) {
      counting = metrics.limiterVerdicts.labels(verdict)
      verdicts.set(verdict, counting)
    }
    counting.inc()
  }

  return {
    count(call, outcome, durationMs) {
      const connector = call.connector?.name ?? call.arrival.addressed?.connector.name ?? NONE
      const access = call.operation?.access ?? NONE
      const handles = handlesOf(connector, access)
      countCode(handles, connector, access, outcome.code)
      handles.duration.observe(durationMs / 1_000)
      handles.overhead.observe(Math.max(0, durationMs - outcome.upstreamMs) / 1_000)
      handles.replyBytes.inc(outcome.replyBytes)
      if (call.lease !== undefined) countVerdict('admitted')
      else if (isLimiterRefusal(outcome.code)) countVerdict(outcome.code)
      if (outcome.upstreamStatus > 0) {
        handles.upstream.observe(outcome.upstreamMs / 1_000)
        metrics.upstreamReplies.inc({ connector, status_class: statusClass(outcome.upstreamStatus) })
      }
      if (outcome.code === 'policy.denied') {
        for (const { code } of outcome.reasons) metrics.policyReasons.inc({ connector, reason: code })
      }
    },
  }
}

function statusClass(status: number): string {
  const hundreds = Math.trunc(status / 100)
  return hundreds >= 1 && hundreds <= 5 ? `${String(hundreds)}xx` : 'other'
}
