import type { Operation } from '../catalog/connector.ts'
import type { LimitDimension, LimitMatch, LimitsConfig } from '../config/config.ts'
import type { ConcurrencyLimit, QuotaLimit } from '../store/admission-store.ts'
import { type RateLimit, rateLimit } from './gcra.ts'
import { keyPart } from './key-part.ts'

/** One limit of the configuration, with all that no call can change. */
export interface Rule<Limit> {
  readonly match: LimitMatch
  readonly by: ReadonlySet<LimitDimension>
  readonly whole: Limit
  readonly share: Limit
  /** Kind and encoded name, such as `:r:burst`. */
  readonly stem: string
  /** The operation's own part of the key; empty until the rule is bound to an operation. */
  readonly suffix: string
}

export interface Rules {
  readonly rates: readonly Rule<RateLimit>[]
  readonly quotas: readonly Rule<QuotaLimit>[]
  readonly concurrency: readonly Rule<ConcurrencyLimit>[]
}

/** Rules of every limit; a share is what one of so many gateways may spend alone. */
export function compileRules(limits: LimitsConfig, shares: number): Rules {
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

/** The rules that apply to an operation, with its part of their keys. */
export function bindRules({ rates, quotas, concurrency }: Rules, operation: Operation): Rules {
  return {
    rates: bind(rates, operation),
    quotas: bind(quotas, operation),
    concurrency: bind(concurrency, operation),
  }
}

function bind<Limit>(rules: readonly Rule<Limit>[], operation: Operation): Rule<Limit>[] {
  return rules
    .filter(({ match }) => matchesOperation(match, operation))
    .map((rule) => ({ ...rule, suffix: operationSuffix(rule.by, operation) }))
}

/** Whether a limit applies to an operation, whoever calls it. */
export function matchesOperation(match: LimitMatch, { connector, id, access }: Operation): boolean {
  return (
    matches(match.connectors, connector) && matches(match.operations, id) && matches(match.access, access)
  )
}

function operationSuffix(by: ReadonlySet<LimitDimension>, operation: Operation): string {
  const connector = by.has('connector') ? `:${keyPart(operation.connector)}` : ''
  const id = by.has('operation') ? `:${keyPart(operation.id)}` : ''
  return connector + id + (by.has('access') ? `:${operation.access}` : '')
}

/** By exact names, or prefixes that end in `*`; an empty list matches everything. */
export function matches(patterns: readonly string[], name: string): boolean {
  if (patterns.length === 0) return true
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  )
}
