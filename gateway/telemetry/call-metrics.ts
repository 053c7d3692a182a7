import { FINDING_KINDS, isNothing, type Findings } from '../detectors/findings.ts'
import type { Progress } from '../exchange.ts'
import type { Outcome, OutcomeCode } from '../outcome.ts'
import { reportedIn } from './call-line.ts'
import type { Counting } from './held-counter.ts'
import type { Observing } from './held-histogram.ts'
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

/** The series of one connector and access, looked up once and kept: few, and known from the configuration. */
interface Handles {
  readonly duration: Observing
  readonly overhead: Observing
  readonly upstream: Observing
  readonly replyBytes: Counting
  readonly byCode: Map<OutcomeCode, Counting>
  readonly byStatusClass: Map<string, Counting>
}

/** Counts finished calls. */
export class CallMetrics {
  readonly #metrics: Metrics
  readonly #connectors: () => ReadonlySet<string>
  readonly #handles = new Map<string, Handles>()
  readonly #verdicts = new Map<LimiterVerdict, Counting>()

  /** `connectors` is the closed set of the label, read anew for every new series. */
  constructor(metrics: Metrics, connectors: () => ReadonlySet<string>) {
    this.#metrics = metrics
    this.#connectors = connectors
  }

  count(call: Progress, outcome: Outcome, durationMs: number): void {
    const connector = call.connector?.name ?? call.arrival.addressed?.connector.name ?? NONE
    const access = call.operation?.access ?? NONE
    const handles = this.#handlesOf(connector, access)
    this.#countCode(handles, connector, access, outcome.code)
    handles.duration.observe(durationMs / 1_000)
    handles.overhead.observe(Math.max(0, durationMs - outcome.upstreamMs) / 1_000)
    handles.replyBytes.inc(outcome.replyBytes)
    if (call.lease !== undefined) this.#countVerdict('admitted')
    else if (isLimiterRefusal(outcome.code)) this.#countVerdict(outcome.code)
    if (outcome.upstreamStatus > 0) {
      handles.upstream.observe(outcome.upstreamMs / 1_000)
      this.#countStatus(handles, connector, statusClass(outcome.upstreamStatus))
    }
    if (outcome.code === 'policy.denied') {
      for (const { code } of outcome.reasons) this.#metrics.policyReasons.inc({ connector, reason: code })
    }
    this.#countFindings('request', call.findings)
    this.#countFindings('response', outcome.findings)
    for (const { code } of reportedIn(call, outcome))
      this.#metrics.policyReported.inc({ connector, reason: code })
  }

  #countFindings(side: 'request' | 'response', findings: Findings | undefined): void {
    if (findings === undefined || isNothing(findings)) return
    for (const kind of FINDING_KINDS)
      for (const name of findings[kind]) this.#metrics.findings.inc({ side, kind, name })
  }

  #handlesOf(connector: string, access: AccessLabel): Handles {
    const key = `${connector}\n${access}`
    const known = this.#handles.get(key)
    if (known !== undefined) return known
    if (connector !== NONE) closedLabel(this.#connectors(), connector)
    const made: Handles = {
      duration: this.#metrics.callSeconds.series(connector, access),
      overhead: this.#metrics.overheadSeconds.series(connector),
      upstream: this.#metrics.upstreamSeconds.series(connector),
      replyBytes: this.#metrics.replyBytes.series(connector),
      byCode: new Map(),
      byStatusClass: new Map(),
    }
    this.#handles.set(key, made)
    return made
  }

  #countCode({ byCode }: Handles, connector: string, access: AccessLabel, code: OutcomeCode): void {
    let counting = byCode.get(code)
    if (counting === undefined) {
      closedLabel(OUTCOME_CODES, code)
      counting = this.#metrics.calls.series(connector, access, decisionOf(code), code)
      byCode.set(code, counting)
    }
    counting.inc()
  }

  #countStatus({ byStatusClass }: Handles, connector: string, statusClass: string): void {
    let counting = byStatusClass.get(statusClass)
    if (counting === undefined) {
      counting = this.#metrics.upstreamReplies.series(connector, statusClass)
      byStatusClass.set(statusClass, counting)
    }
    counting.inc()
  }

  #countVerdict(verdict: LimiterVerdict): void {
    let counting = this.#verdicts.get(verdict)
    if (counting === undefined) {
      counting = this.#metrics.limiterVerdicts.series(verdict)
      this.#verdicts.set(verdict, counting)
    }
    counting.inc()
  }
}

function statusClass(status: number): string {
  const hundreds = Math.trunc(status / 100)
  return hundreds >= 1 && hundreds <= 5 ? `${String(hundreds)}xx` : 'other'
}
