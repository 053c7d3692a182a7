import { Counter, type Registry } from 'prom-client'
import { SHADOW_RESULTS } from '../policy/shadow-difference.ts'

export type PartMetrics = ReturnType<typeof createPartMetrics>

/** Counters of what happens in the parts beside the calls themselves. */
export function createPartMetrics(registry: Registry) {
  const counter: DefineCounter = (name, help, labelNames) =>
    new Counter({ name, help, labelNames, registers: [registry] })
  const policy = policyMetrics(counter)
  for (const result of SHADOW_RESULTS) policy.shadowCalls.inc({ result }, 0)
  return {
    ...limiterMetrics(counter),
    ...policy,
    ...obligationMetrics(counter),
    ...upstreamMetrics(counter),
    ...callerMetrics(counter),
  }
}

type DefineCounter = <Label extends string>(
  name: string,
  help: string,
  labelNames: readonly Label[],
) => Counter<Label>

function limiterMetrics(counter: DefineCounter) {
  const spendReservations = counter(
    'toolgate_spend_reservations_total',
    'Amounts of calls, by what became of them: kept as spent, given back, or refused because they could not be counted.',
    ['end'],
  )
  for (const end of ['kept', 'released', 'unavailable']) spendReservations.inc({ end }, 0)
  return {
    spendReservations,
    limitDenials: counter(
      'toolgate_limit_denials_total',
      'Calls that a limit refused, by its configured name.',
      ['kind', 'limit'],
    ),
    storeFallbacks: counter('toolgate_store_fallbacks_total', 'Calls answered without the shared store.', [
      'mode',
      'access',
    ]),
    storeReplaysUnshared: counter(
      'toolgate_store_replays_unshared_total',
      'Proofs accepted on the word of this process alone.',
      [],
    ),
    storeSettlementsLost: counter(
      'toolgate_store_settlements_lost_total',
      'Calls whose end the shared store did not learn.',
      [],
    ),
  }
}

function policyMetrics(counter: DefineCounter) {
  const policyInstances = counter(
    'toolgate_policy_instances_replaced_total',
    'WASM instances replaced, by cause.',
    ['cause'],
  )
  // From zero: an increase that nobody saw begin is none to Prometheus.
  for (const cause of ['failed', 'memory']) policyInstances.inc({ cause }, 0)
  return {
    policyInstances,
    policyRejections: counter(
      'toolgate_policy_rejections_total',
      'Policy bundles that were not taken, by the check that failed.',
      ['problem'],
    ),
    shadowCalls: counter(
      'toolgate_policy_shadow_calls_total',
      'Calls that the shadow policy was to decide as well, by how it differs from the live one.',
      ['result'],
    ),
    shadowRejections: counter(
      'toolgate_policy_shadow_rejections_total',
      'Shadow bundles that were not taken, by the check that failed.',
      ['problem'],
    ),
    policyOverBudget: counter(
      'toolgate_policy_over_budget_total',
      'Evaluations that took longer than policy.budgetMs.',
      [],
    ),
    policyThreads: counter(
      'toolgate_policy_threads_ended_total',
      'Threads of isolated policy that ended before their time.',
      [],
    ),
  }
}

function obligationMetrics(counter: DefineCounter) {
  const obligations = counter(
    'toolgate_obligations_total',
    'Obligations of calls that were sent, by what became of them: met, the answer withheld, or moot because none came.',
    ['type', 'result'],
  )
  obligations.inc({ type: 'notify', result: 'met' }, 0)
  for (const type of ['redact', 'cap_bytes'])
    for (const result of ['met', 'withheld', 'moot']) obligations.inc({ type, result }, 0)
  return { obligations }
}

function upstreamMetrics(counter: DefineCounter) {
  return {
    credentialsAvailable: counter(
      'toolgate_credential_changes_total',
      'Changes of upstream credentials, by whether one is in use afterwards.',
      ['connector', 'available'],
    ),
    upstreamRepeats: counter(
      'toolgate_upstream_repeats_total',
      'Reads sent a second time because their connection closed unanswered.',
      ['connector'],
    ),
    redirectsFollowed: counter(
      'toolgate_upstream_redirects_followed_total',
      'Redirects followed for callers.',
      ['connector'],
    ),
  }
}

/** Of the way from callers: their connections and their tokens. */
function callerMetrics(counter: DefineCounter) {
  return {
    handshakesFailed: counter('toolgate_tls_handshakes_failed_total', 'TLS handshakes that failed.', []),
    connectionsDropped: counter(
      'toolgate_connections_dropped_total',
      'Connections closed for want of room.',
      [],
    ),
    unboundTokens: counter(
      'toolgate_identity_unbound_tokens_total',
      'Tokens accepted without proof of possession.',
      [],
    ),
  }
}
