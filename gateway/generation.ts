import { isDeepStrictEqual } from 'node:util'
import { Hold } from './approvals/hold.ts'
import { Reviews } from './approvals/reviews.ts'
import { createStatusUrl } from './approvals/status-url.ts'
import { createBoundOf } from './approvals/subject.ts'
import { loadCatalog, type Catalog } from './catalog/catalog.ts'
import type { Connector } from './catalog/connector.ts'
import type { Config } from './config/config.ts'
import { originsByEntrance, type Entrance } from './config/entrance.ts'
import { ConfigError } from './config/problem.ts'
import { createCredentials, type Credentials } from './credentials/credentials.ts'
import { createDetectors } from './detectors/detectors.ts'
import { createEgress, type Egress } from './egress/egress.ts'
import type { ExternalBase } from './egress/external-address.ts'
import type { ReadCall } from './exchange.ts'
import { refuse } from './refusal.ts'
import { createIdentity, type Identity } from './identity/identity.ts'
import { readNonceSecret } from './identity/nonce-secret.ts'
import type { Clock } from './lib/clock.ts'
import { createCallerNames } from './limits/caller-names.ts'
import { compileDemand } from './limits/demand.ts'
import { idleLimits } from './limits/idle-limits.ts'
import { PolicyBreaker } from './limits/policy-breaker.ts'
import { createUpstreamBreakers, type UpstreamBreakers } from './limits/upstream-breakers.ts'
import { createCalendar } from './policy/calendar.ts'
import type { Signals } from './policy/input.ts'
import type { Policy } from './policy/policy.ts'
import type { Shadow } from './policy/shadow.ts'
import { openPolicies } from './policies.ts'
import { createAdmit } from './stages/admit.ts'
import { createAnswer } from './stages/answer.ts'
import { type ApproveDependencies, createApprove } from './stages/approve.ts'
import { createClaim } from './stages/claim.ts'
import { createDecide } from './stages/decide.ts'
import { createForward } from './stages/forward.ts'
import { createIdentify } from './stages/identify.ts'
import { createIntend } from './stages/intend.ts'
import { createRead } from './stages/read.ts'
import { createRecall } from './stages/recall.ts'
import { createPresent } from './stages/present.ts'
import { createReceive } from './stages/receive.ts'
import { createRecord } from './stages/record.ts'
import { createRelay } from './stages/relay.ts'
import { createReserve } from './stages/reserve.ts'
import { createRoute } from './stages/route.ts'
import { createSeal } from './stages/seal.ts'
import type { Stages } from './stages/stages.ts'
import { timedAdmission } from './telemetry/timed-admission.ts'
import type { Lasting } from './lasting.ts'

/** Multipart and opaque bodies above this are streamed past policy, which could not read them anyway. */
const HOLD_BYTES = 1_048_576
const STALL_TIMEOUT_MS = 60_000

/** Everything that one reading of the configuration makes; replaced whole when the configuration is read anew. */
export interface Generation extends AsyncDisposable {
  readonly config: Config
  readonly stages: Stages
  readonly catalog: Catalog
  readonly identity: Identity
  readonly policy: Policy
  readonly shadow: Shadow | undefined
  readonly credentials: Credentials
  readonly egress: Egress
  readonly breakers: UpstreamBreakers
  readonly policyBreaker: PolicyBreaker
}

export interface GenerationOptions {
  readonly config: Config
  readonly lasting: Lasting
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Asks the policy of the generation that is in force by then. */
  readonly redecide: ApproveDependencies['redecide']
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

type Parts = Omit<Generation, 'stages' | typeof Symbol.asyncDispose>

function bindStages(parts: Parts, { lasting, clock, redecide }: GenerationOptions): Stages {
  const { config, catalog, identity, policy, shadow, credentials, egress, breakers, policyBreaker } = parts
  const { connectors } = catalog
  const { recorder } = lasting.audit
  const { events } = lasting.telemetry
  const timeOf = createCalendar(config.policy)
  const detectors = createDetectors(config.detectors)
  const { service } = lasting.approvals
  const boundOf = createBoundOf(connectors)
  const reviews = new Reviews({ service, config: config.approvals, boundOf, onFault: events.faulted })
  return {
    receive: createReceive(),
    identify: createIdentify(identity),
    route: createRoute(catalog),
    admit: createAdmit({
      locks: lasting.locks,
      store: timedAdmission(lasting.store.admission, clock, events.storeAnswered),
      demand: compileDemand({
        limits: config.limits,
        agentBreaker: config.breakers.agent,
        shares: config.store.redis?.shares ?? 1,
      }),
      upstreams: breakers,
      replayChallenge: identity.replayChallenge,
      dataClasses: catalog.dataClasses,
      onLimited: events.limited,
    }),
    answer: createAnswer({ service }),
    read: createRead({
      view: catalog.view,
      environment: catalog.environment,
      acceptsOpaque: catalog.acceptsOpaque,
      detectors,
      holdBytes: HOLD_BYTES,
    }),
    recall: createRecall(catalog.dataClasses),
    reserve: createReserve({
      store: lasting.store.spend,
      namesOf: createCallerNames(),
      dayOf: (nowMs) => timeOf(nowMs).date,
      onEnd: events.store.spendEnded,
    }),
    claim: createClaim({ store: lasting.store.idempotency, namesOf: createCallerNames() }),
    present: createPresent({ service, boundOf }),
    decide: createDecide({
      policy,
      decisionLog: lasting.reports.decisionLog,
      timeOf,
      signalsOf,
      breaker: policyBreaker,
      budgetMs: config.policy.budgetMs,
      clock,
      observe: events.policyEvaluated,
      shadow,
    }),
    approve: createApprove({
      hold: new Hold({
        service,
        config: config.approvals,
        boundOf,
        places: lasting.heldPlaces,
        statusUrl: createStatusUrl(config),
        tokenExpired: (call) => identity.challenged(refuse('identity.token_expired'), call),
        clock,
      }),
      reviews,
      redecide,
      clock,
    }),
    seal: createSeal({ connectors, credentials, locks: lasting.locks }),
    intend: createIntend(recorder),
    forward: createForward(egress),
    relay: createRelay({
      connectors,
      externalBase: externalBaseOf(config),
      detectors,
      stallTimeoutMs: STALL_TIMEOUT_MS,
    }),
    record: createRecord({
      recorder,
      events,
      notify: lasting.channels.notifier.notify,
      detections: lasting.detections,
      reviews,
      clock,
    }),
  }
}

/** Names of what was found and never what it was: policy decides on them, and its input is kept. */
function signalsOf({ findings, history }: ReadCall): Signals {
  return { ...findings, first_use: history.firstUse }
}

function upstreamsOf(config: Config) {
  return Object.entries(config.connectors).map(([name, connector]) => ({ name, ...connector }))
}

/** Where callers reach a connector: the address that its links are rewritten to. */
function externalBaseOf(config: Config): ExternalBase {
  const origins = originsByEntrance(config)
  return ({ name, prefix }: Connector) => {
    const { prefix: given, hosts = [], port } = config.connectors[name]?.address ?? {}
    const own: Entrance[] = hosts.map((host) => `host ${host.toLowerCase()}` as const)
    if (port !== undefined) own.push(`port ${port}`)
    const byPrefix = given !== undefined || own.length === 0
    const entrance = byPrefix ? 'prefix' : own[0]
    const [origin = ''] = (entrance && origins.get(entrance)) ?? []
    return origin + config.listen.externalPathPrefix + (byPrefix ? prefix : '')
  }
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
