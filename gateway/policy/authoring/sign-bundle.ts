import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BundleAlgorithm } from '../../config/policy-config.ts'
import { type BundleVerifier, createBundleVerifier } from '../bundles/signature.ts'
import { isKeyFor } from '../bundles/verification-key.ts'

/** What a bundle is signed with, and for. */
export interface Signing {
  /** PEM file of the private key, which is read by `opa` and never leaves it. */
  readonly keyFile: string
  readonly algorithm: BundleAlgorithm
  /** What the bundle is meant for; empty for no more than its key. */
  readonly scope: string
  /** Name of the key, for whoever has to choose among several. */
  readonly keyId: string | undefined
}

export const SIGNING_ALGORITHMS: ReadonlySet<string> = new Set<BundleAlgorithm>([
  'ES256',
  'ES384',
  'EdDSA',
  'PS256',
  'RS256',
])

export function isSigningAlgorithm(name: string): name is BundleAlgorithm {
  return SIGNING_ALGORITHMS.has(name)
}

/** Flags of `opa build` that sign what it makes; what is claimed goes into a file in `directory`. */
export async function signingFlags(
  { keyFile, algorithm, scope, keyId }: Signing,
  directory: string,
): Promise<readonly string[]> {
  const flags = ['--signing-key', keyFile, '--signing-alg', algorithm]
  // Beside a file of claims opa takes no notice of the name of the key, so both stand in the file.
  const claims = { ...(scope === '' ? {} : { scope }), ...(keyId === undefined ? {} : { keyid: keyId }) }
  if (Object.keys(claims).length === 0) return flags
  const claimsFile = join(directory, 'claims.json')
  await writeFile(claimsFile, JSON.stringify(claims))
  return [...flags, '--claims-file', claimsFile]
}

/**
 * The check that a gateway makes which trusts this key.
 *
 * @throws Error when the file holds no private key, or one that the algorithm does not sign with
 */
export async function verifierOf({ keyFile, algorithm, scope, keyId }: Signing): Promise<BundleVerifier> {
  const key = createPublicKey(await readPrivateKey(keyFile))
  if (!isKeyFor(algorithm, key)) throw new Error(`the key in ${keyFile} is not one of ${algorithm}`)
  return createBundleVerifier({ key, algorithm, scope, keyId }, Date.now())
}

async function readPrivateKey(keyFile: string): Promise<KeyObject> {
  try {
    return createPrivateKey(await readFile(keyFile))
  } catch (cause) {
    throw new Error(`${keyFile} holds no private key in PEM form that can be read`, { cause })
  }
}
