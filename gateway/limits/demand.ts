import type { Operation } from '../catalog/connector.ts'
import type { LimitDimension, LimitMatch, LimitsConfig } from '../config/config.ts'
import type { Routed } from '../exchange.ts'
import type {
  AdmissionDemand,
  AgentBreakerSettings,
  ConcurrencyLimit,
  Demanded,
  QuotaLimit,
} from '../store/admission-store.ts'
import { type RateLimit, rateLimit } from './gcra.ts'
import { keyPart } from './key-part.ts'

/** Tag of counters that no tenant owns; `keyPart` never makes `%g`, so no tenant can be named like it. */
const GLOBAL_TAG = '{%g}'
const MOST_CACHED_PARTS = 1_024

/** One limit of the configuration, with all that no call can change. */
interface Rule<Limit> {
  readonly match: LimitMatch
  readonly by: ReadonlySet<LimitDimension>
  readonly whole: Limit
  readonly share: Limit
  /** Kind and encoded name, such as `:r:burst`. */
  readonly stem: string
  /** The operation's own part of the key; empty until the rule is bound to an operation. */
  readonly suffix: string
}

interface Rules {
  readonly rates: readonly Rule<RateLimit>[]
  readonly quotas: readonly Rule<QuotaLimit>[]
  readonly concurrency: readonly Rule<ConcurrencyLimit>[]
}

/** The proven names of one call, encoded once and used by every key. */
interface Names {
  readonly tag: string
  readonly agentId: string
  readonly agent: string
  readonly principal: string
}

/**
 * Turns the configured limits into a function from a call to the counters it has to pass. Which limits apply to
 * an operation, and their part of the key that only depends on it, are worked out at its first call and kept
 * (the catalogue is finite). Names are unique within a kind: configuration is refused otherwise.
 *
 * `match` lists are exact names, or prefixes that end in `*`; an empty list matches everything.
 * A limit without `tenant` in `by` is counted over all tenants together.
 */
export function compileDemand(options: {
  readonly limits: LimitsConfig
  readonly agentBreaker: AgentBreakerSettings
  /** How many gateways share the counters; 1 for a gateway on its own. */
  readonly shares: number
}): (routed: Routed) => AdmissionDemand {
  const all = compileRules(options.limits, Math.max(1, options.shares))
  const byOperation = new Map<string, Rules>()
  const issuers = new Map<string, string>()

  const rulesFor = (operation: Operation): Rules => {
    const known = byOperation.get(operation.id)
    if (known !== undefined) return known
    const made = {
      rates: bind(all.rates, operation),
      quotas: bind(all.quotas, operation),
      concurrency: bind(all.concurrency, operation),
    }
    byOperation.set(operation.id, made)
    return made
  }
  const issuerPart = (issuer: string): string => {
    const known = issuers.get(issuer)
    if (known !== undefined) return known
    if (issuers.size >= MOST_CACHED_PARTS) issuers.clear()
    const made = keyPart(issuer)
    issuers.set(issuer, made)
    return made
  }

  return ({ arrival, caller, operation, declared }) => {
    const issuer = issuerPart(caller.agent.issuer)
    const names: Names = {
      tag: `{${keyPart(caller.tenant)}}`,
      agentId: caller.agent.id,
      agent: `${issuer}:${keyPart(caller.agent.id)}`,
      // Two issuers may give the same `sub` to two people.
      principal: `${issuer}:${keyPart(caller.principal.id)}`,
    }
    const rules = rulesFor(operation)
    return {
      callId: arrival.callId,
      access: operation.access,
      tag: names.tag,
      agent: names.agent,
      task: declared.task === '' ? '' : keyPart(declared.task),
      operation: operation.id,
      replay: caller.replay,
      rates: demanded(rules.rates, names),
      quotas: demanded(rules.quotas, names),
      concurrency: demanded(rules.concurrency, names),
      agentBreaker: options.agentBreaker,
    }
  }
}

function compileRules(limits: LimitsConfig, shares: number): Rules {
  return {
    rates: compileKind(
      'r',
      limits.rates,
      (limit, divisor) => {
        const { name, windowMs, burst } = limit
        // A shared rate keeps its calls and window for the headers; only the pace and the burst are divided.
        const whole = rateLimit(limit)
        if (divisor === 1) return whole
        const share = rateLimit({
          name,
          calls: whole.calls,
          windowMs: windowMs * divisor,
          burst: burst / divisor,
        })
        return { ...share, windowMs }
      },
      shares,
    ),
    quotas: compileKind(
      'q',
      limits.quotas,
      ({ name, calls }, divisor) => ({ name, calls: part(calls, divisor) }),
      shares,
    ),
    concurrency: compileKind(
      'c',
      limits.concurrency,
      ({ name, calls, leaseMs }, divisor) => ({ name, calls: part(calls, divisor), leaseMs }),
      shares,
    ),
  }
}

interface ConfiguredLimit {
  readonly name: string
  readonly by: readonly LimitDimension[]
  readonly match: LimitMatch
}

function compileKind<Configured extends ConfiguredLimit, Limit>(
  kind: 'r' | 'q' | 'c',
  configured: readonly Configured[],
  limit: (configured: Configured, divisor: number) => Limit,
  shares: number,
): Rule<Limit>[] {
  return configured.map((one) => ({
    match: one.match,
    by: new Set(one.by),
    whole: limit(one, 1),
    share: limit(one, shares),
    stem: `:${kind}:${keyPart(one.name)}`,
    suffix: '',
  }))
}

function part(calls: number, divisor: number): number {
  return Math.max(1, Math.floor(calls / divisor))
}

function bind<Limit>(rules: readonly Rule<Limit>[], operation: Operation): Rule<Limit>[] {
  return rules
    .filter(
      ({ match }) =>
        matches(match.connectors, operation.connector) &&
        matches(match.operations, operation.id) &&
        matches(match.access, operation.access),
    )
    .map((rule) => ({ ...rule, suffix: operationSuffix(rule.by, operation) }))
}

function operationSuffix(by: ReadonlySet<LimitDimension>, operation: Operation): string {
  const connector = by.has('connector') ? `:${keyPart(operation.connector)}` : ''
  const id = by.has('operation') ? `:${keyPart(operation.id)}` : ''
  return connector + id + (by.has('access') ? `:${operation.access}` : '')
}

/** The dimensions of a rule are fixed, so parts cannot be mistaken for each other within its keys. */
function demanded<Limit>(rules: readonly Rule<Limit>[], names: Names): Demanded<Limit>[] {
  const demands: Demanded<Limit>[] = []
  for (const { match, by, stem, suffix, whole, share } of rules) {
    if (!matches(match.agents, names.agentId)) continue
    let key = (by.has('tenant') ? names.tag : GLOBAL_TAG) + stem + suffix
    if (by.has('agent')) key += `:${names.agent}`
    if (by.has('principal')) key += `:${names.principal}`
    demands.push({ key, whole, share })
  }
  return demands
}

function matches(patterns: readonly string[], name: string): boolean {
  if (patterns.length === 0) return true
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  )
}
