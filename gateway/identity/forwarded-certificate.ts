import { X509Certificate, hash } from 'node:crypto'
import type { ForwardedCertificateConfig } from '../config/config.ts'
import type { PeerCertificate } from '../caller.ts'
import type { Received } from '../exchange.ts'
import type { HeaderList } from '../lib/header-list.ts'
import { pass, refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'
import { createBoundedMap } from './bounded-map.ts'
import { describeCertificate, isSpiffeId } from './certificate.ts'
import { parseXfcc } from './xfcc.ts'
import type { XfccElement } from './xfcc.ts'

/** The certificate that the caller is known by: its own, or the one that a trusted proxy vouches for. */
export type CertificateOfCaller = (received: Received) => Verdict<PeerCertificate | undefined>

const MAX_HEADER_CHARS = 16_384
const MAX_PARSED = 1000
const HEADERS = ['x-forwarded-client-cert', 'client-cert', 'client-cert-chain'] as const
const SHA256_HEX = /^[0-9a-f]{64}$/i
/** RFC 8941 §3.3.5: a byte sequence. */
const BYTE_SEQUENCE = /^:([A-Za-z0-9+/]+={0,2}):$/

/**
 * Reads the forwarded certificate, and refuses every request that carries one which nobody may forward: passing it
 * by would leave some later hop to believe it. A trusted proxy's own certificate never stands for the caller.
 */
export function createCertificateOfCaller(
  config: ForwardedCertificateConfig | undefined,
): CertificateOfCaller {
  const parsed = createBoundedMap<string, PeerCertificate>(MAX_PARSED)
  return ({ headers, peer }) => {
    const trusted = config !== undefined && isTrusted(peer.certificate, config.trustedPeers)
    if (!isForwarding(headers)) return pass(trusted ? undefined : peer.certificate)
    if (config === undefined) return untrusted('no peer may forward a certificate')
    if (!trusted) return untrusted('the peer is not one that may forward a certificate')
    const flaw = flawOf(headers, config.header)
    if (flaw !== undefined) return untrusted(flaw)
    const value = headers.get(config.header) ?? ''
    const key = hash('sha256', value, 'base64url')
    const held = parsed.get(key)
    if (held !== undefined) return pass(held)
    const certificate = config.header === 'client-cert' ? readClientCert(value) : readXfcc(value, config.by)
    if (certificate === undefined) return untrusted(`${config.header} cannot be read`)
    parsed.set(key, certificate)
    return pass(certificate)
  }
}

function isTrusted(certificate: PeerCertificate | undefined, trustedPeers: readonly string[]): boolean {
  if (certificate === undefined) return false
  return (
    trustedPeers.includes(certificate.x5t) ||
    certificate.uris.some((uri) => isSpiffeId(uri) && trustedPeers.includes(uri))
  )
}

/** Receive has refused underscores in names and a `Connection` that names either header. */
function isForwarding(headers: HeaderList): boolean {
  return HEADERS.some((name) => headers.has(name))
}

/** Why the header that came from a trusted peer is not to be believed; `undefined` when it may be read. */
function flawOf(headers: HeaderList, expected: ForwardedCertificateConfig['header']): string | undefined {
  for (const name of HEADERS) {
    if (!headers.has(name) || name === expected) continue
    if (name === 'client-cert-chain' && expected === 'client-cert') continue
    return `${name} is not the header that peers forward certificates in`
  }
  if (headers.count(expected) !== 1) return `${expected} does not occur exactly once`
  return (headers.get(expected) ?? '').length > MAX_HEADER_CHARS ? `${expected} is too long` : undefined
}

/** RFC 9440 §2.2. */
function readClientCert(untrustedValue: string): PeerCertificate | undefined {
  const encoded = BYTE_SEQUENCE.exec(untrustedValue)?.[1]
  if (encoded === undefined) return undefined
  const bytes = Buffer.from(encoded, 'base64')
  // A SEQUENCE: Node would also read PEM, which is not what the header may hold.
  return bytes[0] === 0x30 ? readCertificate(bytes) : undefined
}

/** The element of the immediate peer, which is the last; `by` is how that peer names the listener it came in on. */
function readXfcc(untrustedValue: string, by: string | undefined): PeerCertificate | undefined {
  const elements = parseXfcc(untrustedValue)
  const last = elements?.at(-1)
  if (elements === undefined || last === undefined) return undefined
  if (by === undefined ? elements.length !== 1 : !(last.get('by') ?? []).includes(by)) return undefined
  const [digest, ...more] = last.get('hash') ?? []
  if (digest === undefined || more.length > 0 || !SHA256_HEX.test(digest)) return undefined
  const x5t = Buffer.from(digest, 'hex').toString('base64url')
  if (!last.has('cert')) {
    const uris = (last.get('uri') ?? []).filter((uri) => uri !== '')
    // The proxy verified it for this request, and did not say until when it is valid.
    return { x5t, uris: areBelievable(uris) ? uris : [], notAfterMs: Infinity }
  }
  const certificate = readPem(last)
  return certificate?.x5t === x5t ? certificate : undefined
}

/** As for a certificate of our own handshake: one SPIFFE ID, well formed and alone, or none at all. */
function areBelievable(uris: readonly string[]): boolean {
  return (
    !uris.some((uri) => uri.toLowerCase().startsWith('spiffe:')) ||
    (uris.length === 1 && uris.every(isSpiffeId))
  )
}

function readPem(element: XfccElement): PeerCertificate | undefined {
  const [encoded, ...more] = element.get('cert') ?? []
  if (encoded === undefined || more.length > 0) return undefined
  try {
    return readCertificate(Buffer.from(decodeURIComponent(encoded)))
  } catch {
    // Not URL-encoded.
    return undefined
  }
}

function readCertificate(bytes: Buffer): PeerCertificate | undefined {
  try {
    return describeCertificate(new X509Certificate(bytes))
  } catch {
    // Neither DER nor PEM of a certificate.
    return undefined
  }
}

function untrusted(detail: string): ReturnType<typeof refuse> {
  return refuse('identity.forwarded_certificate_untrusted', { detail })
}
