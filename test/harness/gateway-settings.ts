import { join } from 'node:path'
import type { FakeName, Fakes } from './fakes.ts'
import type { Issuer } from './issuer.ts'
import type { Pki } from './pki.ts'

type Settings = Readonly<Record<string, unknown>>

export interface SettingsOptions {
  /** Sections laid over the defaults, key by key; an array replaces an array. */
  readonly settings?: Settings
  /** TLS with a certificate of this authority; client certificates are asked for, not demanded. */
  readonly pki?: Pki
  readonly redisUrl?: string
  /** Issuers accepted beside the gateway's own, as toolgate.yaml names them. */
  readonly issuers?: readonly Settings[]
  /** Origin of one upstream in place of all four stand-ins. */
  readonly upstream?: string
}

/** What stands around the gateway. */
interface Surroundings {
  readonly issuer: Issuer
  readonly fakes: Fakes
  /** For everything that it writes. */
  readonly folder: string
  /** Policy in place of the committed one. */
  readonly bundlePath?: string
}

/** A busy machine is no failing store. */
const REDIS_TIMEOUT_MS = 5_000

/** Vouches for the people of `person` in `approval.ts`; nobody asks for its keys where the admin listener is not open. */
const PEOPLE_ISSUER = {
  issuer: 'https://people.example',
  audiences: ['https://admin.test'],
  jwks: { uri: 'https://people.example/jwks' },
}

/** toolgate.yaml of a gateway of the tests. */
export function settingsOf(options: SettingsOptions, surroundings: Surroundings): Settings {
  return merge(defaultSettings(options, surroundings), options.settings ?? {})
}

function defaultSettings(
  options: SettingsOptions,
  { issuer, fakes, folder, bundlePath }: Surroundings,
): Settings {
  const server = options.pki?.server()
  const connector = (name: FakeName, credential: Settings): Settings => ({
    origin: options.upstream ?? fakes[name].origin,
    credential,
    allowAddresses: ['127.0.0.0/8'],
  })
  const basic = (variable: string): Settings => ({
    type: 'basic',
    username: 'toolgate@zyx.example',
    password: variable,
  })
  return {
    listen: {
      port: 0,
      admin: { people: { issuers: [PEOPLE_ISSUER] } },
      drain: { graceMs: 0, deadlineMs: 5_000 },
      ...(server === undefined || options.pki === undefined
        ? {}
        : {
            tls: {
              certificateFile: server.certFile,
              keyFile: server.keyFile,
              clientCaFile: options.pki.caFile,
              clientCertificate: 'request',
            },
          }),
    },
    identity: {
      issuers: [
        {
          issuer: issuer.issuer,
          audiences: issuer.config.audiences,
          jwks: { uri: issuer.jwksUri },
          ...(options.issuers === undefined ? {} : { tenants: ['zyx-bank'] }),
        },
        ...(options.issuers ?? []),
      ],
    },
    ...(bundlePath === undefined ? {} : { policy: { bundle: bundlePath } }),
    store:
      options.redisUrl === undefined
        ? { controlFile: join(folder, 'control.db') }
        : {
            kind: 'redis',
            controlFile: join(folder, 'control.db'),
            redis: { url: options.redisUrl, timeoutMs: REDIS_TIMEOUT_MS },
          },
    connectors: {
      github: {
        ...connector('github', { type: 'bearer', token: 'env:GITHUB' }),
        environments: [
          { resource: 'repository', value: 'zyx/payments-core', environment: 'production' },
          { resource: 'repository', value: 'zyx/platform-infra', environment: 'staging' },
        ],
      },
      jira: connector('jira', basic('env:JIRA')),
      confluence: connector('confluence', basic('env:CONFLUENCE')),
      slack: connector('slack', { type: 'bearer', token: 'env:SLACK' }),
    },
    audit: {
      directory: join(folder, 'audit'),
      disclosures: { directory: join(folder, 'disclosures'), keyFile: join(folder, 'disclosures.key') },
    },
    telemetry: { logDestination: join(folder, 'gateway.log') },
  }
}

function merge(below: Settings, above: Settings): Settings {
  const merged: Record<string, unknown> = { ...below }
  for (const [name, value] of Object.entries(above)) {
    const held = merged[name]
    merged[name] = isSettings(held) && isSettings(value) ? merge(held, value) : value
  }
  return merged
}

function isSettings(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
