import { setTimeout as delay } from 'node:timers/promises'
import type { RedisConfig, StoreConfig } from '../config/store-config.ts'
import type { Clock } from '../lib/clock.ts'
import type { AdmissionStore } from './admission-store.ts'
import { createEmbeddedAdmissionStore } from './embedded-admission-store.ts'
import { createEmbeddedSightingStore } from './embedded-sighting-store.ts'
import { createEmbeddedIdempotencyStore } from './embedded-idempotency-store.ts'
import { createEmbeddedSpendStore } from './embedded-spend-store.ts'
import {
  createGuardedAdmissionStore,
  type GuardedAdmissionStore,
  type StoreEvents,
} from './guarded-admission-store.ts'
import { createRedisAdmissionStore } from './redis-admission-store.ts'
import { createRedisClient } from './redis-client.ts'
import { createRedisSightingStore } from './redis-sighting-store.ts'
import type { IdempotencyStore } from './idempotency-store.ts'
import { createRedisIdempotencyStore } from './redis-idempotency-store.ts'
import { createRedisSpendStore } from './redis-spend-store.ts'
import type { SightingStore } from './sighting-store.ts'
import type { SpendStore } from './spend-store.ts'

export interface OpenStoreOptions {
  readonly config: StoreConfig
  /** Of Redis, already read from its reference. */
  readonly password: string | undefined
  /** `maxAgeMs + maxSkewMs` of the DPoP check; `maxAgeMs` where nonces are required. */
  readonly proofLifetimeMs: number
  readonly clock: Clock
  readonly events: StoreEvents & {
    readonly connectionFailed: (cause: Error) => void
    readonly settlementLost: (cause: unknown) => void
  }
}

export type StoreCondition = 'ready' | 'degraded' | 'unavailable'

export interface OpenedStore extends AsyncDisposable {
  readonly admission: AdmissionStore
  readonly spend: SpendStore
  readonly idempotency: IdempotencyStore
  readonly sightings: SightingStore
  /** `degraded` answers calls by the configured failure modes; `unavailable` when those close every door. */
  state(): StoreCondition
  /** Settles when the store can be asked, or has had its time: a gateway starts without its store, too. */
  readonly opened: Promise<void>
}

/** Long enough for a connection with TLS, short enough for a restart while Redis is away. */
const OPEN_WAIT_MS = 1_500

/** The store that the configuration names; Redis comes guarded by the failure modes of `store.onFailure`. */
export function openStore(options: OpenStoreOptions): OpenedStore {
  const { kind, redis } = options.config
  return kind === 'embedded' || redis === undefined ? openEmbedded(options) : openRedis(options, redis)
}

function openEmbedded({ clock, proofLifetimeMs }: OpenStoreOptions): OpenedStore {
  const admission = createEmbeddedAdmissionStore({ clock, proofLifetimeMs })
  return {
    admission,
    spend: createEmbeddedSpendStore({ clock }),
    idempotency: createEmbeddedIdempotencyStore({ clock }),
    sightings: createEmbeddedSightingStore({ clock }),
    state: () => 'ready',
    opened: Promise.resolve(),
    [Symbol.asyncDispose]: () => admission.close(),
  }
}

function openRedis(
  { config, password, proofLifetimeMs, clock, events }: OpenStoreOptions,
  redis: RedisConfig,
): OpenedStore {
  const client = createRedisClient({ ...redis, password }, events.connectionFailed)
  const { keyPrefix } = redis
  const onSettlementLost = events.settlementLost
  const guarded = createGuardedAdmissionStore({
    shared: createRedisAdmissionStore({ client, keyPrefix, clock, onSettlementLost }),
    local: createEmbeddedAdmissionStore({ clock, proofLifetimeMs, count: 'share' }),
    onFailure: config.onFailure,
    shares: redis.shares,
    events,
  })
  const isUp = (): boolean => guarded.state === 'up'
  return {
    admission: guarded,
    spend: createRedisSpendStore({ client, keyPrefix, isUp, onSettlementLost }),
    idempotency: createRedisIdempotencyStore({ client, keyPrefix, isUp, onSettlementLost }),
    sightings: createRedisSightingStore({
      client,
      keyPrefix,
      clock,
      local: createEmbeddedSightingStore({ clock }),
    }),
    state: () => conditionOf(guarded, config.onFailure),
    opened: Promise.race([guarded.opened, delay(OPEN_WAIT_MS, undefined, { ref: false })]),
    [Symbol.asyncDispose]: () => guarded.close(),
  }
}

function conditionOf(
  { state }: GuardedAdmissionStore,
  { read, write }: StoreConfig['onFailure'],
): StoreCondition {
  if (state === 'up') return 'ready'
  return read === 'closed' && write === 'closed' ? 'unavailable' : 'degraded'
}
