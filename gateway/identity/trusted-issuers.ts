import type { IssuerConfig } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import type { TrustedIssuer, VerifiedToken } from './access-token.ts'
import { createBoundedMap } from './bounded-map.ts'
import type { FetchJson } from './fetch-json.ts'
import type { IdentityEvents, KeySource } from './key-source.ts'
import { createFileKeySource } from './key-source-file.ts'
import { RemoteKeySource } from './key-source-remote.ts'
import { compileFacts } from './token-facts.ts'

export interface IssuerDependencies {
  readonly clock: Clock
  readonly fetchJson: FetchJson
  readonly events: IdentityEvents
}

/** Verified tokens held for one issuer; each has its own, so that none can push out another's. */
const MAX_VERIFIED = 10_000

/** Opens the issuers of the configuration; their keys begin to load at once. */
export function openIssuers(
  configs: readonly IssuerConfig[],
  deps: IssuerDependencies,
): readonly TrustedIssuer[] {
  return configs.map((config) => ({
    config,
    keys: openKeys(config, deps),
    readFacts: compileFacts(config),
    verified: createBoundedMap<string, VerifiedToken>(MAX_VERIFIED),
  }))
}

function openKeys(config: IssuerConfig, deps: IssuerDependencies): KeySource {
  return 'file' in config.jwks
    ? createFileKeySource(config, config.jwks.file, deps)
    : new RemoteKeySource(config, config.jwks, deps)
}
