import { administering, separating } from './admin-rules.ts'
import { approving } from './approvals-rules.ts'
import { fetching } from './bundle-rules.ts'
import type { Config } from './config.ts'
import { detecting } from './detections-rules.ts'
import { originsByEntrance } from './entrance.ts'
import { exporting } from './export-rules.ts'
import { isLoopback, isSafeSource } from './loopback.ts'
import { notifying } from './notify-rules.ts'
import { logging, recording } from './places.ts'
import type { ConfigProblem } from './problem.ts'
import { type Environment, REFERENCE_RULES } from './references.ts'
import { reporting } from './report-rules.ts'
import { storing } from './store-rules.ts'
import { witnessing } from './witness-rules.ts'

type Section = keyof Config

interface Rule {
  /** Sections it reads; it is skipped while one of them has the wrong shape. */
  readonly reads: readonly Section[]
  check(config: Config, environment: Environment): ConfigProblem[]
}

const RULES: readonly Rule[] = [
  { reads: ['listen'], check: listening },
  { reads: ['listen'], check: administering },
  { reads: ['listen', 'identity'], check: separating },
  { reads: ['identity', 'workers', 'listen'], check: identifying },
  { reads: ['store', 'workers'], check: storing },
  { reads: ['policy', 'limits'], check: deciding },
  { reads: ['policy'], check: fetching },
  { reads: ['policy'], check: reporting },
  { reads: ['connectors', 'listen'], check: addressing },
  { reads: ['connectors', 'listen'], check: reaching },
  { reads: ['connectors'], check: forwarding },
  { reads: ['approvals'], check: approving },
  { reads: ['detections', 'detectors'], check: detecting },
  { reads: ['audit'], check: recording },
  { reads: ['audit'], check: exporting },
  { reads: ['audit'], check: witnessing },
  { reads: ['notify'], check: notifying },
  { reads: ['telemetry'], check: logging },
  ...REFERENCE_RULES,
]

/** What the schema cannot say: settings that are fine alone and wrong together, and files that are not there. */
export function contradictions(
  config: Config,
  misshapen: ReadonlySet<string>,
  environment: Environment,
): ConfigProblem[] {
  return RULES.filter(({ reads }) => !reads.some((section) => misshapen.has(section))).flatMap(({ check }) =>
    check(config, environment),
  )
}

function listening({ listen }: Config): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  if (listen.port !== 0 && listen.port === listen.admin.port) {
    problems.push({ path: 'listen.admin.port', reason: 'is also listen.port' })
  }
  if (
    listen.tls !== undefined &&
    listen.tls.clientCertificate !== 'none' &&
    listen.tls.clientCaFile === undefined
  ) {
    // Without a CA of its own Node would trust every public root to vouch for agents.
    problems.push({
      path: 'listen.tls.clientCaFile',
      reason: 'is required when client certificates are asked for',
    })
  }
  if (listen.externalOrigins.length === 0 && listen.port !== 0 && !isLoopback(listen.host)) {
    problems.push({
      path: 'listen.externalOrigins',
      reason: 'is required when the listener is not on loopback',
    })
  }
  return problems
}

function identifying({ identity, workers, listen }: Config): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const seen = new Set<string>()
  for (const [index, { issuer, jwks, tenant, tenants }] of identity.issuers.entries()) {
    if (identity.issuers.length > 1 && tenant === undefined && tenants.length === 0) {
      problems.push({
        path: `identity.issuers.${index}.tenants`,
        reason: 'is required beside another issuer: each could sign for the tenants of the other',
      })
    }
    if (seen.has(issuer))
      problems.push({ path: `identity.issuers.${index}.issuer`, reason: 'is listed twice' })
    seen.add(issuer)
    if ('uri' in jwks && !isSafeSource(jwks.uri)) {
      problems.push({
        path: `identity.issuers.${index}.jwks.uri`,
        reason: 'must be https (http only on loopback)',
      })
    }
  }
  if (identity.dpop.nonce === 'required' && identity.dpop.nonceSecret === undefined && workers > 1) {
    problems.push({
      path: 'identity.dpop.nonceSecret',
      reason: 'is required when several workers share nonces',
    })
  }
  if (identity.forwardedCertificate !== undefined && (listen.tls?.clientCertificate ?? 'none') === 'none') {
    problems.push({
      path: 'identity.forwardedCertificate',
      reason: 'needs listen.tls.clientCertificate: only an authenticated peer may forward one',
    })
  }
  return problems
}

function deciding({ policy, limits }: Config): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  if (policy.businessHours.fromHour >= policy.businessHours.toHour) {
    problems.push({ path: 'policy.businessHours', reason: 'fromHour must be before toHour' })
  }
  const names = new Set<string>()
  for (const kind of ['rates', 'quotas', 'concurrency'] as const) {
    for (const [index, { name }] of limits[kind].entries()) {
      if (names.has(name))
        problems.push({ path: `limits.${kind}.${index}.name`, reason: `${name} is used twice` })
      names.add(name)
    }
  }
  return problems
}

function addressing({ connectors, listen }: Config): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const taken = new Map<string, string>([
    [`port ${listen.port}`, 'listen.port'],
    [`port ${listen.admin.port}`, 'listen.admin.port'],
  ])
  for (const [name, { address }] of Object.entries(connectors)) {
    const claims = [
      `prefix ${address.prefix ?? `/${name}`}`,
      ...address.hosts.map((host) => `host ${host}`),
      ...(address.port === undefined ? [] : [`port ${address.port}`]),
    ]
    for (const claim of claims) {
      const holder = taken.get(claim)
      if (holder !== undefined) {
        problems.push({ path: `connectors.${name}.address`, reason: `${claim} already belongs to ${holder}` })
      }
      taken.set(claim, `connectors.${name}`)
    }
  }
  return problems
}

/**
 * Each way in needs an origin of its own, or callers could not prove that a call is meant for it; where none are named
 * at all, the listener finds them by itself.
 */
function reaching({ connectors, listen }: Config): ConfigProblem[] {
  if (listen.externalOrigins.length === 0) return []
  const origins = originsByEntrance({ connectors, listen })
  const problems: ConfigProblem[] = []
  for (const [name, { address }] of Object.entries(connectors)) {
    const { prefix, hosts, port } = address
    const path = `connectors.${name}.address`
    const lacking = (what: string): ConfigProblem => ({
      path,
      reason: `listen.externalOrigins names no origin ${what}, so no proof could be made for it`,
    })
    for (const host of hosts) {
      if (!origins.has(`host ${host.toLowerCase()}`)) problems.push(lacking(`with the host ${host}`))
    }
    if (port !== undefined && !origins.has(`port ${port}`)) problems.push(lacking(`with the port ${port}`))
    const byPrefix = prefix !== undefined || (hosts.length === 0 && port === undefined)
    if (byPrefix && !origins.has('prefix')) problems.push(lacking('that belongs to no host or port'))
  }
  return problems
}

/** A credential in the clear is anybody's on the way; without TLS it stays where the operator has named the addresses. */
function forwarding({ connectors }: Config): ConfigProblem[] {
  return Object.entries(connectors).flatMap(([name, { origin, allowAddresses }]) =>
    origin?.startsWith('http:') === true && allowAddresses.length === 0
      ? [
          {
            path: `connectors.${name}.origin`,
            reason: 'must be https; http is for private addresses that allowAddresses names',
          },
        ]
      : [],
  )
}
