import type { Row } from './row.ts'
import { startToolgate } from './toolgate.ts'
import type { Scenario } from './toolgate.ts'

const IDENTITY: Readonly<Record<Scenario['binding'], string>> = {
  none: 'JWT, not bound',
  mtls: 'JWT bound to mutual TLS',
  dpop: 'JWT + DPoP, replay checked',
}

function row(binding: Scenario['binding'], changes: Partial<Scenario> = {}, isLong?: true): Row {
  const scenario: Scenario = {
    binding,
    store: 'embedded',
    access: 'read',
    durability: 'flushed',
    workers: 1,
    ...changes,
  }
  const { store, access, durability, workers } = scenario
  const parts = [
    `Toolgate ${{ none: 'unbound', mtls: 'mTLS', dpop: 'DPoP' }[binding]}`,
    ...(access === 'write' ? ['write'] : []),
    store,
    durability,
    ...(workers === 1 ? [] : [`${String(workers)} workers`]),
  ]
  return {
    name: parts.join(' '),
    kind: 'toolgate',
    access,
    ...(isLong && { isLong }),
    controls: {
      identity: IDENTITY[binding],
      policy: 'Rego in process',
      limits: store === 'redis' ? '6 limits in Redis' : '6 limits in memory',
      record: `log line, audit ${durability}`,
    },
    start: (world) => startToolgate(scenario, world),
  }
}

const REDIS = { store: 'redis' } as const
const STRICT = { durability: 'strict' } as const

const TWO = { workers: 2 } as const

/** Every way that a deployment is run in; several workers count in Redis, as the configuration demands. */
export const TOOLGATE_ROWS: readonly Row[] = [
  row('none'),
  row('mtls'),
  row('dpop', {}, true),
  row('none', REDIS, true),
  row('mtls', REDIS),
  row('dpop', REDIS),
  row('none', STRICT, true),
  row('mtls', STRICT, true),
  row('dpop', STRICT, true),
  row('none', { ...REDIS, ...STRICT }, true),
  row('mtls', { ...REDIS, ...STRICT }, true),
  row('dpop', { ...REDIS, ...STRICT }, true),
  row('none', { ...REDIS, ...TWO }, true),
  row('mtls', { ...REDIS, ...TWO }),
  row('dpop', { ...REDIS, ...TWO }, true),
  row('none', { ...REDIS, ...STRICT, ...TWO }, true),
  row('mtls', { ...REDIS, ...STRICT, ...TWO }, true),
  row('dpop', { ...REDIS, ...STRICT, ...TWO }, true),
  row('mtls', { ...STRICT, access: 'write' }),
  row('dpop', { ...REDIS, ...STRICT, access: 'write' }, true),
]
