import type { Config } from '../config/config.ts'
import { createSecretReader } from '../config/secret.ts'

/** Reads the token for the bundle service each time it is needed, so that a file can be replaced. */
export function serviceTokenOf(
  { policy }: Config,
  environment: Readonly<Record<string, string | undefined>>,
): (() => string) | undefined {
  const reference = policy.service?.token
  return reference && (() => createSecretReader(environment)(reference))
}
