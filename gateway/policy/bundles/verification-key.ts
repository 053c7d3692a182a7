import { createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { BundleAlgorithm, VerificationConfig } from '../../config/policy-config.ts'
import { ConfigError } from '../../config/problem.ts'

const FITS: Readonly<Record<BundleAlgorithm, (key: KeyObject) => boolean>> = {
  ES256: (key) => isOnCurve(key, 'prime256v1'),
  ES384: (key) => isOnCurve(key, 'secp384r1'),
  EdDSA: (key) => key.asymmetricKeyType === 'ed25519',
  PS256: isStrongRsa,
  RS256: isStrongRsa,
}

/**
 * The public key, or that of a certificate, in the PEM file that the configuration names.
 *
 * @param path of the settings, for the error: `policy.verification`
 * @throws ConfigError when there is none, or one of another kind than the algorithm's
 */
export function readVerificationKey({ keyFile, algorithm }: VerificationConfig, path: string): KeyObject {
  const problem = (reason: string): ConfigError => new ConfigError([{ path: `${path}.keyFile`, reason }])
  const pem = readPem(keyFile, problem)
  // Whoever could read the private key here could sign a policy of their own; Node would derive the public one.
  if (pem.includes('PRIVATE KEY')) throw problem(`${keyFile} holds a private key, which does not belong here`)
  let key: KeyObject
  try {
    key = createPublicKey(pem)
  } catch {
    throw problem(`${keyFile} holds no public key in PEM`)
  }
  if (!isKeyFor(algorithm, key)) throw problem(`the key in ${keyFile} is not one of ${algorithm}`)
  return key
}

/** Whether a key is of the kind that an algorithm signs with; RSA of 2048 bits at least (RFC 7518 §3.3). */
export function isKeyFor(algorithm: BundleAlgorithm, key: KeyObject): boolean {
  return FITS[algorithm](key)
}

function readPem(file: string, problem: (reason: string) => ConfigError): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    throw problem(`${file} cannot be read`)
  }
}

function isOnCurve(key: KeyObject, curve: string): boolean {
  return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === curve
}

function isStrongRsa(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048
}
