import type { Operation } from '../catalog/connector.ts'
import type { LimitsConfig } from '../config/config.ts'
import type { Routed } from '../exchange.ts'
import type { AdmissionDemand, AgentBreakerSettings, Demanded } from '../store/admission-store.ts'
import { createCallerNames, type EncodedNames } from './caller-names.ts'
import { keyPart } from './key-part.ts'
import { bindRules, compileRules, matches, type Rule, type Rules } from './limit-rules.ts'

/** Tag of counters that no tenant owns; `keyPart` never makes `%g`, so no tenant can be named like it. */
const GLOBAL_TAG = '{%g}'

/**
 * Turns the configured limits into a function from a call to the counters it has to pass. Which limits apply to
 * an operation, and their part of the key that only depends on it, are worked out at its first call and kept
 * (the catalogue is finite). Names are unique within a kind: configuration is refused otherwise.
 *
 * A limit without `tenant` in `by` is counted over all tenants together.
 */
export function compileDemand(options: {
  readonly limits: LimitsConfig
  readonly agentBreaker: AgentBreakerSettings
  /** How many gateways share the counters; 1 for a gateway on its own. */
  readonly shares: number
}): (routed: Routed) => AdmissionDemand {
  const { agentBreaker } = options
  const rulesOf = rulesByOperation(compileRules(options.limits, Math.max(1, options.shares)))
  const namesOf = createCallerNames()
  const countersOf = countersByCaller()
  return ({ arrival, caller, operation, declared }) => {
    const names = namesOf(caller)
    const { rates, quotas, concurrency } = countersOf(names, rulesOf(operation))
    return {
      callId: arrival.callId,
      access: operation.access,
      tag: names.tag,
      agent: names.agent,
      task: declared.task === '' ? '' : keyPart(declared.task),
      operation: operation.id,
      replay: caller.replay,
      rates,
      quotas,
      concurrency,
      agentBreaker,
    }
  }
}

/** The counters of one caller, as its last operation needed them. */
interface Counters extends Pick<AdmissionDemand, 'rates' | 'quotas' | 'concurrency'> {
  readonly rules: Rules
}

/**
 * An agent calls one operation many times, and most of its counters are the same for all of them. What its last call
 * needed is kept with its names: a key that is the same string again needs neither be made nor be hashed.
 */
function countersByCaller(): (names: EncodedNames, rules: Rules) => Counters {
  const last = new WeakMap<EncodedNames, Counters>()
  return (names, rules) => {
    const held = last.get(names)
    if (held?.rules === rules) return held
    const made = {
      rules,
      rates: demanded(rules.rates, names, held?.rates),
      quotas: demanded(rules.quotas, names, held?.quotas),
      concurrency: demanded(rules.concurrency, names, held?.concurrency),
    }
    last.set(names, made)
    return made
  }
}

function rulesByOperation(all: Rules): (operation: Operation) => Rules {
  const bound = new Map<string, Rules>()
  return (operation) => {
    const known = bound.get(operation.id)
    if (known !== undefined) return known
    const made = bindRules(all, operation)
    bound.set(operation.id, made)
    return made
  }
}

/** The dimensions of a rule are fixed, so parts cannot be mistaken for each other within its keys. */
function demanded<Limit>(
  rules: readonly Rule<Limit>[],
  names: EncodedNames,
  held: readonly Demanded<Limit>[] = [],
): Demanded<Limit>[] {
  const demands: Demanded<Limit>[] = []
  for (const { match, by, stem, suffix, whole, share } of rules) {
    if (!matches(match.agents, names.agentId)) continue
    // No two rules have one limit, and without a part of the operation a rule has one key for each caller.
    const known = suffix === '' ? held.find((one) => one.whole === whole) : undefined
    if (known !== undefined) {
      demands.push(known)
      continue
    }
    let key = (by.has('tenant') ? names.tag : GLOBAL_TAG) + stem + suffix
    if (by.has('agent')) key += `:${names.agent}`
    if (by.has('principal')) key += `:${names.principal}`
    demands.push({ key, whole, share })
  }
  return demands
}
