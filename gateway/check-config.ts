import { loadCatalog } from './catalog/catalog.ts'
import type { Config } from './config/config.ts'
import { ConfigError, type ConfigProblem } from './config/problem.ts'
import { createTransport } from './egress/pools.ts'
import { GatewayFault } from './fault.ts'
import { readNonceSecret } from './identity/nonce-secret.ts'
import { systemClock } from './lib/clock.ts'
import { readSecureContext } from './listen/tls.ts'
import { BundleError } from './policy/bundle-error.ts'
import { createPolicy } from './policy/policy.ts'
import { serviceTokenOf } from './policy/service-token.ts'

/**
 * What is wrong with the things that a well-formed configuration names: certificates, secrets, connector folders and
 * policy. Each is read by what will use it, so that nothing passes here and fails at the start.
 */
export async function configProblems(
  config: Config,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<readonly ConfigProblem[]> {
  const { connectors, identity } = config
  const { nonceSecret } = identity.dpop
  return [
    ...tlsProblems(config),
    ...(nonceSecret === undefined ? [] : problemsOf(() => readNonceSecret(nonceSecret, environment))),
    ...problemsOf(() => loadCatalog(connectors)),
    ...Object.entries(connectors).flatMap(([name, limits]) =>
      problemsOf(() => createTransport(name, limits, undefined)),
    ),
    ...(await policyProblems(config, environment)),
  ]
}

function problemsOf(read: () => unknown): readonly ConfigProblem[] {
  try {
    read()
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

function tlsProblems({ listen: { tls } }: Config): readonly ConfigProblem[] {
  if (tls === undefined) return []
  try {
    readSecureContext(tls)
    return []
  } catch (error) {
    if (!(error instanceof GatewayFault)) throw error
    const reason = error.cause instanceof Error ? error.cause.message : error.message
    return [{ path: 'listen.tls', reason: `the certificate files cannot be used: ${reason}` }]
  }
}

/** Loads the bundle as a start would, self-test included. */
async function policyProblems(
  config: Config,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<readonly ConfigProblem[]> {
  const { policy } = config
  try {
    await using _policy = await createPolicy({
      bundlePath: policy.bundle,
      service: policy.service,
      serviceToken: serviceTokenOf(config, environment),
      watch: false,
      verification: policy.verification,
      memoryLimitPages: policy.memoryLimitPages,
      clock: systemClock,
      onEvent: () => undefined,
    })
    return []
  } catch (error) {
    if (error instanceof BundleError) {
      return [{ path: policy.service ? 'policy.service' : 'policy.bundle', reason: error.message }]
    }
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
