import type { SecretReference } from '../config/config.ts'
import { ConfigError } from '../config/problem.ts'
import { createSecretReader } from '../config/secret.ts'
import { MIN_NONCE_KEY_BYTES } from './dpop-nonce.ts'

/**
 * The key that a fleet shares for its nonces.
 * @throws {ConfigError} when there is none, or it is short enough to be guessed; the error never shows it
 */
export function readNonceSecret(
  reference: SecretReference,
  environment: Readonly<Record<string, string | undefined>>,
): Uint8Array {
  const key = Buffer.from(createSecretReader(environment)(reference))
  if (key.length >= MIN_NONCE_KEY_BYTES) return key
  const reason = `holds fewer than ${MIN_NONCE_KEY_BYTES} bytes`
  throw new ConfigError([{ path: 'identity.dpop.nonceSecret', reason }])
}
