import { setImmediate } from 'node:timers/promises'
import type { Verdict } from '../../refusal.ts'
import { BundleError } from '../bundles/bundle-error.ts'
import type { Decision } from '../decision.ts'
import type { LocalEvaluator } from './evaluator.ts'
import type { PolicyInput } from '../input.ts'

/** First calls of a fresh module are up to fifty times slower; after a few hundred it is compiled for good. */
const WARM_UP_CALLS = 300

/** How long calls in flight may be held up at a time. */
const SLICE_MS = 2

/** A call by nobody, for nobody, of nothing. */
export const NOBODY: PolicyInput = {
  v: 1,
  agent: { id: '', issuer: '', binding: 'none', key: '' },
  principal: { id: '', groups: [], device_compliant: false, act: [] },
  tenant: '',
  scopes: [],
  authorization_details: [],
  operation: {
    id: '',
    connector: '',
    access: 'execute',
    risk: 10,
    data_class: 'restricted',
    reversible: false,
    environment: 'unknown',
    phase: '',
  },
  params: { path: {}, query: {}, body: {}, truncated: false, digest: '' },
  resource: { project: '', repository: '', channel: '', account: '', amount: { value: 0, currency: '' } },
  declared: { task: '', rationale: '', ticket: '', rollback_plan: '' },
  signals: { secrets: [], pii: [], injection: [], first_use: true },
  history: {
    calls_1m: 0,
    denials_10m: 0,
    errors_1h: 0,
    writes_task: 0,
    spend_day: 0,
    spend_task: 0,
    operations_task: [],
    operations_1h: [],
    data_classes_task: [],
    data_classes_1h: [],
  },
  approval: { state: 'none', id: '', approvers: [] },
  time: { ns: '0', date: '1970-01-01', weekday: 'thursday', hour: 0, business_hours: false },
}

/**
 * Makes the evaluator fast and proves that it decides: a call by nobody has to get a well-formed deny. Yields
 * between slices of a few evaluations, so that calls in flight are not held up.
 *
 * @throws BundleError `self_test`
 */
export async function selfTest(evaluator: LocalEvaluator): Promise<void> {
  let startedMs = performance.now()
  for (let call = 0; call < WARM_UP_CALLS; call += 1) {
    expectDeny(evaluator.decide(NOBODY))
    if (performance.now() - startedMs < SLICE_MS) continue
    await setImmediate()
    startedMs = performance.now()
  }
}

function expectDeny(verdict: Verdict<Decision>): void {
  if (!verdict.ok) {
    const { code, detail, cause } = verdict.refusal
    throw new BundleError('self_test', `the policy gives ${code}${detail ? `: ${detail}` : ''}`, { cause })
  }
  if (verdict.value.allow) throw new BundleError('self_test', 'the policy allows a call by nobody')
}
