import { systemClock } from '../../gateway/lib/clock.ts'
import type { TestGatewayOptions } from '../harness/gateway.ts'
import { AUDIENCE } from '../harness/issuer.ts'
import { CONNECTORS, type ConnectorName } from './refusals-calls.ts'
import type { Parts } from './refusals-parts.ts'

/** Agents for whom the limit of that kind is one call. */
export const EXHAUSTED = { rate: 'rated', quota: 'quoted', place: 'crowded' } as const

type Settings = Readonly<Record<string, unknown>>

const forEach = (settings: (name: ConnectorName) => Settings): Settings => ({
  connectors: Object.fromEntries(CONNECTORS.map((name) => [name, settings(name)])),
})

/** The settings that some refusals need; all else is provoked at `plain`. */
export const KINDS = {
  plain: ({ strict, down, redis }) => ({
    redisUrl: redis.url,
    issuers: [
      {
        issuer: strict.issuer,
        audiences: [AUDIENCE],
        jwks: { uri: strict.jwksUri },
        requiredScopes: ['tools:admin'],
        tenants: ['zyx'],
      },
      { issuer: down.issuer, audiences: [AUDIENCE], jwks: { uri: down.jwksUri }, tenants: ['zyx'] },
    ],
    settings: {
      ...forEach(() => ({ bodyLimitBytes: 1024 })),
      breakers: { upstream: { failures: 10_000 } },
      limits: {
        rates: [{ name: 'rate', ...exhausted('rate'), windowMs: 60_000, burst: 1 }],
        quotas: [{ name: 'quota', ...exhausted('quota') }],
        concurrency: [{ name: 'place', ...exhausted('place') }],
      },
    },
  }),
  impatient: () => ({
    settings: { ...forEach(() => ({ replyTimeoutMs: 150 })), listen: { requestTimeoutMs: 300 } },
  }),
  nonce: () => ({ settings: { identity: { dpop: { nonce: 'required' } } } }),
  touchy: () => ({ settings: { breakers: { upstream: { failures: 1, openMs: 600_000 } } } }),
  strict: () => ({ settings: { breakers: { agent: { failures: 1, openMs: 30_000 } } } }),
  stateless: ({ mortalRedis }) => ({
    redisUrl: mortalRedis.url,
    // Where nobody knows the locks in force, no call comes as far as the limits.
    settings: { store: { controlKind: 'embedded' } },
  }),
  // Port 1 is nobody's.
  unheard: () => ({
    settings: { store: { controlKind: 'redis', redis: { url: 'redis://127.0.0.1:1' } } },
  }),
  roomy: () => ({}),
  eager: () => ({ settings: { approvals: { maxPendingPerAgent: 1 } } }),
  // Counts in its own memory, and keeps what people decide elsewhere.
  forgetful: ({ controlRedis }) => ({
    settings: { store: { controlKind: 'redis', redis: { url: controlRedis.url } } },
  }),
  unsealed: () => ({
    settings: forEach((name) => ({
      credential:
        name === 'jira' || name === 'confluence'
          ? { type: 'basic', username: 'toolgate@zyx.example', password: 'file:/nowhere/secret' }
          : { type: 'bearer', token: 'file:/nowhere/secret' },
    })),
  }),
  unrecorded: () => ({ settings: { audit: { segmentLimitBytes: 65_536 } } }),
  guarded: ({ upstream }) => ({
    settings: forEach(() => ({
      origin: `http://localhost:${upstream.port}`,
      allowAddresses: ['10.0.0.0/8'],
    })),
  }),
  // Port 1 is nobody's.
  unreachable: () => ({ settings: forEach(() => ({ origin: 'http://127.0.0.1:1' })) }),
  full: () => ({ settings: { listen: { maxCallsInFlight: 1 } } }),
  drained: () => ({ settings: { listen: { drain: { graceMs: 0, deadlineMs: 0 } } } }),
  faulty: () => ({ clock: { ...systemClock, monotonicMs: brokenInDecide } }),
} as const satisfies Record<string, (parts: Parts) => TestGatewayOptions>

export type GatewayKind = keyof typeof KINDS

function exhausted(kind: keyof typeof EXHAUSTED): Settings {
  return { by: ['agent', 'connector'], match: { agents: [EXHAUSTED[kind]] }, calls: 1 }
}

/** A bug in one stage, as nobody could bring one about from outside. */
function brokenInDecide(): number {
  if (new Error().stack?.includes('stages/decide.ts') === true) throw new TypeError('secret of the gateway')
  return systemClock.monotonicMs()
}
