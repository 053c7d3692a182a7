import type { BundleServiceConfig, VerificationConfig } from '../../config/policy-config.ts'
import type { Clock } from '../../lib/clock.ts'
import { BundleService } from './bundle-service.ts'
import type { BundleSource } from './bundle-source.ts'
import type { BundleOrigin } from './bundle-slot.ts'
import { createFileSource } from './file-source.ts'
import { readVerification } from './signature.ts'

/** Where one bundle comes from, as the configuration says it. */
export interface OriginOptions {
  /** Path of its settings, for what is said to the operator; `policy` where there is none. */
  readonly settings?: string
  /** File that the bundle is in; not read where there is a `service`. */
  readonly bundlePath: string
  readonly service?: BundleServiceConfig | undefined
  /** Bearer token for the service, asked for at every request. */
  readonly serviceToken?: (() => string) | undefined
  /** How the bundle is signed; a bundle that is signed is refused without. */
  readonly verification?: VerificationConfig | undefined
  /** Paths that its roots have to lie below; where there are none, it may be wherever no other bundle is. */
  readonly allowedRoots?: readonly string[] | undefined
}

export interface OriginContext {
  readonly keep: 'always' | 'reads' | 'never'
  readonly clock: Clock
  /** How often a file is looked at beside the notices of the file system; milliseconds. */
  readonly restatMs: number | undefined
  readonly onNotKept: (bundle: string, error: Error) => void
}

/** @throws ConfigError when the key that bundles are verified with cannot be used */
export function createOrigin(name: string, options: OriginOptions, context: OriginContext): BundleOrigin {
  const { verification, allowedRoots } = options
  return {
    name,
    source: createSource(name, options, context),
    verification:
      verification && readVerification(verification, `${options.settings ?? 'policy'}.verification`),
    allowedRoots,
  }
}

function createSource(name: string, options: OriginOptions, context: OriginContext): BundleSource {
  const { bundlePath, service, serviceToken } = options
  const { keep, clock, restatMs, onNotKept } = context
  if (service === undefined) return createFileSource({ path: bundlePath, clock, restatMs })
  return new BundleService({
    config: service,
    token: serviceToken,
    clock,
    keep,
    onNotKept: (error) => onNotKept(name, error),
  })
}
