import { Hold } from './approvals/hold.ts'
import { Reviews } from './approvals/reviews.ts'
import { createStatusUrl } from './approvals/status-url.ts'
import { createBoundOf } from './approvals/subject.ts'
import type { Catalog } from './catalog/catalog.ts'
import type { Connector } from './catalog/connector.ts'
import type { Config } from './config/config.ts'
import { originsByEntrance, type Entrance } from './config/entrance.ts'
import type { Credentials } from './credentials/credentials.ts'
import { createDetectors } from './detectors/detectors.ts'
import type { Egress } from './egress/egress.ts'
import type { ExternalBase } from './egress/external-address.ts'
import type { ReadCall } from './exchange.ts'
import type { Identity } from './identity/identity.ts'
import type { Lasting } from './lasting.ts'
import type { Clock } from './lib/clock.ts'
import { createCallerNames } from './limits/caller-names.ts'
import { compileDemand } from './limits/demand.ts'
import type { PolicyBreaker } from './limits/policy-breaker.ts'
import type { UpstreamBreakers } from './limits/upstream-breakers.ts'
import { createCalendar } from './policy/calendar.ts'
import type { Signals } from './policy/input.ts'
import type { Policy } from './policy/policy.ts'
import type { Shadow } from './policy/shadow.ts'
import { refuse } from './refusal.ts'
import { createAdmit } from './stages/admit.ts'
import { createAnswer } from './stages/answer.ts'
import { type ApproveDependencies, createApprove } from './stages/approve.ts'
import { createClaim } from './stages/claim.ts'
import { createDecide } from './stages/decide.ts'
import { createForward } from './stages/forward.ts'
import { createIdentify } from './stages/identify.ts'
import { createIntend } from './stages/intend.ts'
import { createPresent } from './stages/present.ts'
import { createRead } from './stages/read.ts'
import { createRecall } from './stages/recall.ts'
import { createReceive } from './stages/receive.ts'
import { createRecord } from './stages/record.ts'
import { createRelay } from './stages/relay.ts'
import { createReserve } from './stages/reserve.ts'
import { createRoute } from './stages/route.ts'
import { createSeal } from './stages/seal.ts'
import type { Stages } from './stages/stages.ts'
import { timedAdmission } from './telemetry/timed-admission.ts'

/** Multipart and opaque bodies above this are streamed past policy, which could not read them anyway. */
const HOLD_BYTES = 1_048_576
const STALL_TIMEOUT_MS = 60_000

/** What one reading of the configuration made, of which its stages are made. */
export interface StageParts {
  readonly config: Config
  readonly catalog: Catalog
  readonly identity: Identity
  readonly policy: Policy
  readonly shadow: Shadow | undefined
  readonly credentials: Credentials
  readonly egress: Egress
  readonly breakers: UpstreamBreakers
  readonly policyBreaker: PolicyBreaker
}

export interface StageSurroundings {
  readonly lasting: Lasting
  readonly clock: Clock
  /** Asks the policy of the generation that is in force by then. */
  readonly redecide: ApproveDependencies['redecide']
}

/** What several stages have in common. */
interface Shared {
  readonly detectors: ReturnType<typeof createDetectors>
  readonly timeOf: ReturnType<typeof createCalendar>
  readonly boundOf: ReturnType<typeof createBoundOf>
  readonly reviews: Reviews
}

/** Binds the verbs of a call's life to what they need; they stand in the order in which `handle` calls them. */
export function bindStages(parts: StageParts, surroundings: StageSurroundings): Stages {
  const { config, catalog } = parts
  const { approvals, telemetry } = surroundings.lasting
  const boundOf = createBoundOf(catalog.connectors)
  const shared: Shared = {
    detectors: createDetectors(config.detectors),
    timeOf: createCalendar(config.policy),
    boundOf,
    reviews: new Reviews({
      service: approvals.service,
      config: config.approvals,
      boundOf,
      onFault: telemetry.events.faulted,
    }),
  }
  return {
    ...bindKnowing(parts, surroundings, shared),
    ...bindAllowing(parts, surroundings, shared),
    ...bindSending(parts, surroundings, shared),
  }
}

type Knowing = Pick<Stages, 'receive' | 'identify' | 'route' | 'admit' | 'answer' | 'read' | 'recall'>

/** Who calls, what for, and whether there is room for it. */
function bindKnowing(
  { config, catalog, identity, breakers }: StageParts,
  { lasting, clock }: StageSurroundings,
  { detectors }: Shared,
): Knowing {
  const { events } = lasting.telemetry
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
    answer: createAnswer({ service: lasting.approvals.service }),
    read: createRead({
      view: catalog.view,
      environment: catalog.environment,
      acceptsOpaque: catalog.acceptsOpaque,
      detectors,
      holdBytes: HOLD_BYTES,
    }),
    recall: createRecall(catalog.dataClasses),
  }
}

type Allowing = Pick<Stages, 'reserve' | 'claim' | 'present' | 'decide' | 'approve'>

/** Whether policy and people let it happen, once. */
function bindAllowing(
  { config, identity, policy, shadow, policyBreaker }: StageParts,
  { lasting, clock, redecide }: StageSurroundings,
  { timeOf, boundOf, reviews }: Shared,
): Allowing {
  const { events } = lasting.telemetry
  const { service } = lasting.approvals
  const namesOf = createCallerNames()
  const hold = new Hold({
    service,
    config: config.approvals,
    boundOf,
    places: lasting.heldPlaces,
    statusUrl: createStatusUrl(config),
    tokenExpired: (call) => identity.challenged(refuse('identity.token_expired'), call),
    clock,
  })
  return {
    reserve: createReserve({
      store: lasting.store.spend,
      namesOf,
      dayOf: (nowMs) => timeOf(nowMs).date,
      onEnd: events.store.spendEnded,
    }),
    claim: createClaim({ store: lasting.store.idempotency, namesOf }),
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
    approve: createApprove({ hold, reviews, redecide, clock }),
  }
}

type Sending = Pick<Stages, 'seal' | 'intend' | 'forward' | 'relay' | 'record'>

/** The credential, the record, and the way there and back. */
function bindSending(
  { config, catalog, credentials, egress }: StageParts,
  { lasting, clock }: StageSurroundings,
  { detectors, reviews }: Shared,
): Sending {
  const { connectors } = catalog
  const { recorder } = lasting.audit
  return {
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
      events: lasting.telemetry.events,
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
