import type { BundleConfig, PolicyConfig, ShadowConfig } from '../../config/policy-config.ts'
import { createSecretReader } from '../../config/secret.ts'
import type { OriginOptions } from './bundle-origins.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Where the bundles of the live policy come from, as the configuration says. */
export function configuredOrigins(
  policy: PolicyConfig,
  environment: Environment,
): OriginOptions & { readonly data: Readonly<Record<string, OriginOptions>> } {
  const data = Object.entries(policy.data).map(([name, config]) => [
    name,
    originOf(`policy.data.${name}`, config, environment),
  ])
  return { ...originOf('policy', policy, environment), data: Object.fromEntries(data) }
}

/** Where the rules to try out come from. */
export function shadowOrigin(shadow: ShadowConfig, environment: Environment): OriginOptions {
  return originOf('policy.shadow', shadow, environment)
}

function originOf(settings: string, config: BundleConfig, environment: Environment): OriginOptions {
  const { bundle, service, verification, roots } = config
  const token = service?.token
  return {
    settings,
    bundlePath: bundle ?? '',
    service,
    // Read each time it is needed, so that a file can be replaced.
    serviceToken: token && (() => createSecretReader(environment)(token)),
    verification,
    allowedRoots: roots,
  }
}
