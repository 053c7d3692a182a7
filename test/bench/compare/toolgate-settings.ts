import { join } from 'node:path'
import type { Access, World } from './row.ts'

interface Places extends Pick<World, 'issuer' | 'upstreamPort'> {
  readonly folder: string
  readonly durability: 'flushed' | 'strict'
  readonly access: Access
}

interface Settings {
  readonly listen: object
  readonly identity: object
  readonly policy: object
  readonly [section: string]: object
}

const WEEK = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']

/**
 * What a deployment has to say, and limits of every kind that never say no, so that what is measured is the counting.
 * Everything else is as it comes.
 */
export function settingsOf({ issuer, upstreamPort, folder, durability, access }: Places): Settings {
  const connector = {
    origin: `http://127.0.0.1:${String(upstreamPort)}`,
    credential: { type: 'bearer', token: 'env:BENCH_TOKEN' },
    allowAddresses: ['127.0.0.0/8'],
  }
  const staging = { resource: 'repository', value: 'zyx/platform-infra', environment: 'staging' }
  const trusted = { issuer: issuer.issuer, audiences: issuer.config.audiences, jwks: { uri: issuer.jwksUri } }
  return {
    listen: { drain: { graceMs: 0, deadlineMs: 1_000 } },
    identity: { issuers: [trusted] },
    // Any hour of any day, so that a write is allowed whenever the bench runs.
    policy: { businessHours: { days: WEEK, fromHour: 0, toHour: 24 } },
    limits: {
      rates: [
        rate('tenant', ['tenant']),
        rate('agent', ['tenant', 'agent']),
        rate('principal', ['tenant', 'principal']),
        rate('operation', ['tenant', 'agent', 'operation']),
      ],
      quotas: [{ name: 'daily', by: ['tenant', 'agent'], calls: 1_000_000_000 }],
      concurrency: [{ name: 'held', by: ['tenant', 'agent'], calls: 1_000 }],
    },
    connectors: {
      github: { ...connector, environments: [staging] },
      jira: connector,
      confluence: connector,
      slack: connector,
    },
    audit: {
      directory: join(folder, 'audit'),
      durability: { [access]: durability },
      disclosures: { directory: join(folder, 'disclosures'), keyFile: join(folder, 'disclosures.key') },
    },
    telemetry: { logDestination: join(folder, 'log', 'gateway.log') },
  }
}

function rate(name: string, by: readonly string[]): object {
  return { name, by, calls: 1_000_000, windowMs: 60_000, burst: 1_000_000 }
}
