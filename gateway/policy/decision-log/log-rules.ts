import type { LogEntrypoint } from '../evaluation/entrypoints.ts'
import type { Policy } from '../policy.ts'
import type { DecisionEvent } from './event.ts'
import { applyMask, parseMask } from './mask.ts'

/** The rules of a bundle on what the decision log may hold. */
export type LogRules = Pick<Policy, 'evaluateLog'>

export type Prepared =
  | { readonly kind: 'kept'; readonly event: DecisionEvent; readonly failures: readonly LogFailure[] }
  /** The drop rule wants no event of this decision. */
  | { readonly kind: 'dropped' }

/** Rules on the log that could not be asked, or gave nonsense. */
export interface LogFailure {
  readonly entrypoint: LogEntrypoint
  readonly cause: unknown
}

/**
 * Asks the rules whether the event is logged, and what of it is taken out. Where a rule fails, OPA logs nothing; here
 * a drop that fails keeps the event, and a mask that fails keeps it without what could hold a secret: a decision that
 * vanishes because somebody's rule is broken would be worse than either.
 */
export async function prepareEvent(event: DecisionEvent, rules: LogRules): Promise<Prepared> {
  const failures: LogFailure[] = []
  const drop = await rules.evaluateLog('system/log/drop', event)
  if ('failed' in drop) failures.push({ entrypoint: 'system/log/drop', cause: drop.failed })
  else if (drop.defined && drop.result === true) return { kind: 'dropped' }
  try {
    const mask = await rules.evaluateLog('system/log/mask', event)
    if ('failed' in mask) throw mask.failed
    return { kind: 'kept', event: mask.defined ? applyMask(event, parseMask(mask.result)) : event, failures }
  } catch (cause) {
    failures.push({ entrypoint: 'system/log/mask', cause })
    return { kind: 'kept', event: withoutContents(event), failures }
  }
}

const CONTENTS = ['input', 'nd_builtin_cache'] as const

/** Without what came from the caller, and without texts that a rule may have made of it. */
function withoutContents(event: DecisionEvent): DecisionEvent {
  const { input: _input, nd_builtin_cache: _cache, result, custom, ...known } = event
  const erased = [
    ...(event.erased ?? []),
    ...CONTENTS.filter((name) => event[name] !== undefined).map((name) => `/${name}`),
  ]
  const told = outcomeOf(result)
  if (told !== undefined) erased.push('/result/obligations', '/result/reasons', '/result/reported')
  return {
    ...known,
    ...(told && { result: told }),
    erased,
    custom: { toolgate: { ...custom.toolgate, mask_failed: true } },
  }
}

function outcomeOf(result: unknown): { allow: unknown; risk: unknown } | undefined {
  if (typeof result !== 'object' || result === null) return undefined
  const { allow, risk } = result as { allow?: unknown; risk?: unknown }
  return { allow, risk }
}
