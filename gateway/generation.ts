import { isDeepStrictEqual } from 'node:util'
import { bindStages, type StageParts, type StageSurroundings } from './bind-stages.ts'
import { loadCatalog } from './catalog/catalog.ts'
import type { Config } from './config/config.ts'
import { originsByEntrance } from './config/entrance.ts'
import { ConfigError } from './config/problem.ts'
import { createCredentials } from './credentials/credentials.ts'
import { createEgress } from './egress/egress.ts'
import { createIdentity } from './identity/identity.ts'
import { readNonceSecret } from './identity/nonce-secret.ts'
import { idleLimits } from './limits/idle-limits.ts'
import { PolicyBreaker } from './limits/policy-breaker.ts'
import { createUpstreamBreakers } from './limits/upstream-breakers.ts'
import { openPolicies } from './policies.ts'
import type { Stages } from './stages/stages.ts'
import type { Lasting } from './lasting.ts'

/** Everything that one reading of the configuration makes; replaced whole when the configuration is read anew. */
export interface Generation extends StageParts, AsyncDisposable {
  readonly stages: Stages
}

export interface GenerationOptions extends StageSurroundings {
  readonly config: Config
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The one in force: an upstream that is being left alone stays so across a reload. */
  readonly before: Generation | undefined
  readonly connectorsDirectory: string | undefined
}

/**
 * Makes the stages of one configuration.
 * @throws {ConfigError} or {@link BundleError} when a connector folder, a limit or the bundle cannot be used; nothing is left open
 */
export async function createGeneration(options: GenerationOptions): Promise<Generation> {
  const { config, lasting, environment, clock } = options
  const { events } = lasting.telemetry
  const catalog = loadCatalog(config.connectors, options.connectorsDirectory)
  const idle = idleLimits(config.limits, catalog)
  if (idle.length > 0) throw new ConfigError(idle)
  await using stack = new AsyncDisposableStack()
  const identity = stack.use(
    createIdentity(config, {
      clock,
      events: events.identity,
      nonceKey: nonceKeyOf(config, lasting, environment),
      origins: originsByEntrance(config),
    }),
  )
  await identity.opened
  const { policy, shadow } = stack.use(await openPolicies({ config, lasting, environment, clock }))
  const credentials = stack.use(
    createCredentials({ connectors: config.connectors, environment, clock, events }),
  )
  const egress = stack.use(createEgress({ connectors: upstreamsOf(config), clock, events }))
  const parts = { config, catalog, identity, policy, shadow, credentials, egress, ...breakersOf(options) }
  const stages = bindStages(parts, options)
  const owned = stack.move()
  return { ...parts, stages, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Those of the generation before where nothing about them has changed: who is stopped stays so across a reload. */
function breakersOf({ config, lasting, clock, before }: GenerationOptions) {
  const { upstream, policy } = config.breakers
  const { breakerChanged, policyBreakerOpened } = lasting.telemetry.events
  const same = (name: 'upstream' | 'policy') =>
    before !== undefined && isDeepStrictEqual(before.config.breakers[name], config.breakers[name])
      ? before
      : undefined
  return {
    breakers:
      same('upstream')?.breakers ??
      createUpstreamBreakers({ settings: upstream, clock, onChange: breakerChanged }),
    policyBreaker: same('policy')?.policyBreaker ?? new PolicyBreaker(policy, policyBreakerOpened),
  }
}

function upstreamsOf(config: Config) {
  return Object.entries(config.connectors).map(([name, connector]) => ({ name, ...connector }))
}

/**
 * The fleet's key only where the fleet remembers proofs: a process that forgets them when it ends must not take nonces
 * from before its start, for their proofs may have been used.
 */
function nonceKeyOf(
  { identity, store }: Config,
  { nonceKey }: Lasting,
  environment: GenerationOptions['environment'],
): Uint8Array {
  const reference = identity.dpop.nonceSecret
  if (reference === undefined || store.kind === 'embedded') return nonceKey
  return readNonceSecret(reference, environment)
}
