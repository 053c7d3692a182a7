import type { CallId } from '../../../../gateway/exchange.ts'
import type { DecisionEvent, MadeDecision } from '../../../../gateway/policy/decision-log/event.ts'
import { pass } from '../../../../gateway/refusal.ts'
import { FRIEND } from '../../../harness/opa.ts'

/** A read by a friend, allowed. */
export function aDecision(more: Partial<MadeDecision> = {}): MadeDecision {
  return {
    callId: '019aa5b2-0000-7000-8000-000000000000' as CallId,
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    spanId: '00f067aa0ba902b7',
    requestedBy: '127.0.0.1',
    headers: undefined,
    bundles: [{ name: 'policy', revision: 'r' }],
    digest: 'sha256:0',
    input: FRIEND,
    verdict: pass({ allow: true, risk: 1, reasons: [], reported: [], obligations: [] }),
    receivedAtMs: Date.parse('2026-11-23T09:00:00Z'),
    arrivedMs: 99,
    begunMs: 100,
    builtMs: 100.25,
    decidedMs: 100.5,
    ...more,
  }
}

/** As far as masks look at it. */
export function anEvent(more: Partial<DecisionEvent>): DecisionEvent {
  return {
    labels: {},
    decision_id: '',
    bundles: {},
    path: '',
    requested_by: '',
    timestamp: '',
    metrics: {},
    req_id: 1,
    custom: { toolgate: { effect: 'allow', policy_digest: '' } },
    ...more,
  }
}
