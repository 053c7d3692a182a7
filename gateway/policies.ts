import type { Config } from './config/config.ts'
import type { Lasting } from './lasting.ts'
import type { Clock } from './lib/clock.ts'
import { configuredOrigins, shadowOrigin } from './policy/bundles/configured-origins.ts'
import { createPolicy, type Policy } from './policy/policy.ts'
import { Shadow } from './policy/shadow.ts'

interface PoliciesOptions {
  readonly config: Config
  readonly lasting: Lasting
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
}

/** The policy that decides, and the one that is tried out beside it. */
export interface Policies extends AsyncDisposable {
  readonly policy: Policy
  readonly shadow: Shadow | undefined
}

/**
 * @throws BundleError when the live policy cannot be loaded
 * @throws ConfigError when a key that bundles are verified with cannot be used
 */
export async function openPolicies(options: PoliciesOptions): Promise<Policies> {
  await using stack = new AsyncDisposableStack()
  const policy = stack.use(await openPolicy(options))
  const shadow = openShadow(options, policy)
  if (shadow !== undefined) stack.use(shadow)
  const owned = stack.move()
  return { policy, shadow, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function openPolicy({ config, lasting, environment, clock }: PoliciesOptions): Promise<Policy> {
  const { events } = lasting.telemetry
  const { watch, memoryLimitPages, isolation, budgetMs } = config.policy
  let isInForce = false
  const policy = await createPolicy({
    ...configuredOrigins(config.policy, environment),
    watch,
    memoryLimitPages,
    isolation,
    budgetMs,
    clock,
    onEvent(event) {
      events.policyEvent(event)
      lasting.reports.policyEvent(event)
      // The first bundle is put on record with its configuration, once both are in force.
      if (isInForce || event.type === 'rejected') lasting.audit.changes.policyChanged(event)
    },
  })
  isInForce = true
  return policy
}

function openShadow(options: PoliciesOptions, live: Policy): Shadow | undefined {
  const { config, lasting, environment, clock } = options
  const { shadow, watch, memoryLimitPages, budgetMs } = config.policy
  if (shadow === undefined) return undefined
  const { events } = lasting.telemetry
  return new Shadow({
    origin: shadowOrigin(shadow, environment),
    live,
    sample: shadow.sample,
    watch,
    memoryLimitPages,
    budgetMs,
    clock,
    onEvent(event) {
      events.shadowEvent(event)
      if (event.type !== 'differed') return
      const { difference } = event
      lasting.audit.recorder.shadowDiffered(difference).catch((cause: unknown) => {
        events.shadowUnrecorded(difference.callId, cause)
      })
    },
  })
}
