import { createHash } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { BundleAlgorithm, VerificationConfig } from '../../config/policy-config.ts'
import { decodeCanonical } from '../../identity/compact.ts'
import { verifySignature, withAliases } from '../../identity/signature.ts'
import { parseStrictJson } from '../../lib/strict-json.ts'
import { BundleError } from './bundle-error.ts'
import { canonicalJson } from './canonical-json.ts'
import { MAX_DATA_DEPTH, MAX_DATA_VALUES } from './data-bounds.ts'
import { readVerificationKey } from './verification-key.ts'

export const SIGNATURES_FILE = '.signatures.json'

/** What a bundle has to be signed with, and for; can be sent to another thread. */
export interface BundleVerification {
  readonly key: KeyObject
  readonly algorithm: BundleAlgorithm
  readonly scope: string
  readonly keyId: string | undefined
}

/**
 * @param path of these settings, for the error
 * @throws ConfigError when the key cannot be used
 */
export function readVerification(
  config: VerificationConfig,
  path: string = 'policy.verification',
): BundleVerification {
  const { algorithm, scope, keyId } = config
  return { key: readVerificationKey(config, path), algorithm, scope, keyId }
}

/**
 * Proves that exactly these files, and nothing else, were signed; returns when they were.
 *
 * @throws BundleError `signature`
 */
export type BundleVerifier = (entries: ReadonlyMap<string, Buffer>) => void

type JsonObject = Readonly<Record<string, unknown>>

const MAX_SIGNATURES_BYTES = 4 * 1024 * 1024

/** OPA's names of the hashes it may use, without those that are broken. */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['SHA-256', 'sha256'],
  ['SHA-384', 'sha384'],
  ['SHA-512', 'sha512'],
])

/**
 * Makes the check of bundles signed by `opa sign` or `opa build --signing-key`. Key and algorithm are those of the
 * configuration: a signature that could choose its own would be none (RFC 8725 §3.1).
 *
 * @param nowMs moment at which a signature that ends has to be good; milliseconds since the epoch
 * @see https://www.openpolicyagent.org/docs/management-bundles#signing
 */
export function createBundleVerifier(verification: BundleVerification, nowMs: number): BundleVerifier {
  return (entries) => {
    const token = readToken(entries.get(SIGNATURES_FILE))
    const claims = verifyToken(token, verification)
    checkClaims(claims, verification, nowMs)
    checkFiles(entries, readFiles(claims['files']))
  }
}

function readToken(bytes: Buffer | undefined): string {
  if (bytes === undefined) throw unsigned(`the bundle has no ${SIGNATURES_FILE}: it is not signed`)
  if (bytes.length > MAX_SIGNATURES_BYTES) {
    throw unsigned(`${SIGNATURES_FILE} is larger than ${MAX_SIGNATURES_BYTES} bytes`)
  }
  const { signatures, plugin = '', ...unknown } = readObject(bytes, SIGNATURES_FILE)
  if (Object.keys(unknown).length > 0) throw unsigned(`${SIGNATURES_FILE} holds more than signatures`)
  if (plugin !== '' && plugin !== '_default') throw unsigned('the bundle is signed by a plugin')
  const [token, ...others]: readonly unknown[] = Array.isArray(signatures) ? signatures : []
  if (typeof token !== 'string' || others.length > 0) {
    throw unsigned(`${SIGNATURES_FILE} does not hold exactly one signature`)
  }
  return token
}

/** The claims of a JWS in compact form (RFC 7515 §5.2) whose signature is good. */
function verifyToken(untrustedToken: string, verification: BundleVerification): JsonObject {
  const parts = untrustedToken.split('.').map(decodeCanonical)
  const [header, payload, signature] = parts
  if (header === undefined || payload === undefined || signature === undefined || parts.length !== 3) {
    throw unsigned('the signature is not a JWS in compact form')
  }
  const untrustedHeader = readObject(header, 'the header of the signature')
  const { key, algorithm, keyId } = verification
  const names: readonly unknown[] = withAliases([algorithm])
  if (!names.includes(untrustedHeader['alg'])) {
    throw unsigned(`the signature is made with ${shown(untrustedHeader['alg'])}, ${algorithm} is configured`)
  }
  // RFC 7515 §4.1.11: whoever does not understand a critical extension has to refuse, and none is understood.
  if ('crit' in untrustedHeader) throw unsigned('the signature has critical extensions')
  const signingInput = Buffer.from(untrustedToken.slice(0, untrustedToken.lastIndexOf('.')), 'latin1')
  if (!verifySignature(algorithm, signingInput, key, signature)) {
    throw unsigned('the signature was not made with the configured key')
  }
  const claims = readObject(payload, 'the payload of the signature')
  const named = untrustedHeader['kid'] ?? claims['keyid']
  if (keyId !== undefined && named !== keyId) {
    throw unsigned(`the signature names the key ${shown(named)}, ${shown(keyId)} is configured`)
  }
  return claims
}

/** What is signed for another purpose, or no longer, is not signed for us. */
function checkClaims(claims: JsonObject, { scope }: BundleVerification, nowMs: number): void {
  const { scope: signedScope = '', exp } = claims
  if (signedScope !== scope) {
    throw unsigned(`the bundle is signed for the scope ${shown(signedScope)}, ${shown(scope)} is configured`)
  }
  // RFC 7519 §4.1.4. OPA signs without it; whoever adds it limits how long an old policy can be served again.
  if (exp !== undefined && !(typeof exp === 'number' && exp * 1000 > nowMs)) {
    throw unsigned('the signature has expired')
  }
}

interface SignedFile {
  readonly hash: Buffer
  readonly algorithm: string
}

function readFiles(files: unknown): ReadonlyMap<string, SignedFile> {
  if (!Array.isArray(files)) throw unsigned('the signature lists no files')
  const signed = new Map<string, SignedFile>()
  for (const file of files as readonly unknown[]) {
    if (!isObject(file)) throw unsigned('the signature lists something that is no file')
    const { name, hash, algorithm } = file
    const digest = typeof algorithm === 'string' ? HASHES.get(algorithm) : undefined
    if (typeof name !== 'string' || typeof hash !== 'string' || !/^(?:[\da-f]{2})+$/i.test(hash)) {
      throw unsigned('the signature lists a file without a name or a hash')
    }
    if (digest === undefined) throw unsigned(`the signature hashes ${shown(name)} with ${shown(algorithm)}`)
    if (signed.has(name)) throw unsigned(`the signature lists ${shown(name)} twice`)
    signed.set(name, { hash: Buffer.from(hash, 'hex'), algorithm: digest })
  }
  return signed
}

function checkFiles(entries: ReadonlyMap<string, Buffer>, signed: ReadonlyMap<string, SignedFile>): void {
  for (const name of signed.keys()) {
    if (!entries.has(name)) throw unsigned(`${shown(name)} is signed, but the bundle does not hold it`)
  }
  for (const [name, content] of entries) {
    if (name === SIGNATURES_FILE) continue
    const file = signed.get(name)
    if (file === undefined) throw unsigned(`the bundle holds ${name}, which is not signed`)
    const hash = createHash(file.algorithm).update(hashed(name, content)).digest()
    if (!hash.equals(file.hash)) throw unsigned(`${name} is not what was signed`)
  }
}

/** What of a file is hashed: the meaning of JSON that OPA itself may write anew, of all else every byte. */
function hashed(name: string, content: Buffer): Buffer | string {
  const base = name.slice(name.lastIndexOf('/') + 1)
  if (base !== 'data.json' && base !== '.manifest') return content
  readObject(content, name)
  return canonicalJson(content.toString('utf8'))
}

/** Read strictly: two readers of what is signed must not see different things. */
function readObject(bytes: Buffer, what: string): JsonObject {
  const reading = parseStrictJson(bytes, MAX_DATA_DEPTH, MAX_DATA_VALUES)
  if (!reading.ok) throw unsigned(`${what} cannot be read: ${reading.reason}`)
  if (!isObject(reading.value)) throw unsigned(`${what} is not a JSON object`)
  return reading.value
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shown(untrusted: unknown): string {
  return (JSON.stringify(untrusted) ?? 'nothing').slice(0, 120)
}

function unsigned(message: string): BundleError {
  return new BundleError('signature', message)
}
