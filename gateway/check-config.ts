import { loadCatalog } from './catalog/catalog.ts'
import type { Config } from './config/config.ts'
import { ConfigError, type ConfigProblem } from './config/problem.ts'
import { GatewayFault } from './fault.ts'
import { systemClock } from './lib/clock.ts'
import { readSecureContext } from './listen/tls.ts'
import { BundleError } from './policy/bundle-error.ts'
import { createPolicy } from './policy/policy.ts'

/** What is wrong with the things that a well-formed configuration names: certificates, connector folders, policy. */
export async function configProblems(config: Config): Promise<readonly ConfigProblem[]> {
  return [...tlsProblems(config), ...catalogProblems(config), ...(await policyProblems(config))]
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

function catalogProblems({ connectors }: Config): readonly ConfigProblem[] {
  try {
    loadCatalog(connectors)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

/** Loads the bundle as a start would, self-test included. */
async function policyProblems({ policy }: Config): Promise<readonly ConfigProblem[]> {
  try {
    await using _policy = await createPolicy({
      bundlePath: policy.bundle,
      watch: false,
      verification: policy.verification,
      memoryLimitPages: policy.memoryLimitPages,
      clock: systemClock,
      onEvent: () => undefined,
    })
    return []
  } catch (error) {
    if (error instanceof BundleError) return [{ path: 'policy.bundle', reason: error.message }]
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
