import { hash } from 'node:crypto'
import type { X509Certificate } from 'node:crypto'
import type { PeerCertificate } from '../caller.ts'
import { keyUsageBits } from './der.ts'

/** keyCertSign and cRLSign, bits 5 and 6 counted from the most significant (RFC 5280 §4.2.1.3). */
const SIGNS_CERTIFICATES = 0x06
const SPIFFE_ID = /^spiffe:\/\/[a-z0-9._-]{1,255}(?:\/[A-Za-z0-9._-]+)+$/
const MAX_SPIFFE_CHARS = 2048

/** What identity needs of a certificate whose chain somebody has verified. */
export function describeCertificate(certificate: X509Certificate): PeerCertificate {
  return {
    x5t: hash('sha256', certificate.raw, 'base64url'),
    uris: urisOf(certificate),
    notAfterMs: certificate.validToDate.getTime(),
  }
}

/**
 * URI names of the certificate; none when they cannot be believed. Node renders all names in one line and quotes
 * those that hold a separator, so a line with a quote has more than one reading. A certificate that claims a SPIFFE
 * ID has to be a sound X509-SVID, or it names nobody.
 */
function urisOf(certificate: X509Certificate): readonly string[] {
  const line = certificate.subjectAltName ?? ''
  if (line.includes('"')) return []
  const uris = line
    .split(', ')
    .filter((name) => name.startsWith('URI:'))
    .map((name) => name.slice('URI:'.length))
  return !uris.some(claimsSpiffe) || isSvid(certificate, uris) ? uris : []
}

function claimsSpiffe(uri: string): boolean {
  return uri.slice(0, 'spiffe:'.length).toLowerCase() === 'spiffe:'
}

/** X509-SVID §2, §4, §5.2: exactly one URI name, with a path, on a certificate that cannot sign others. */
function isSvid(certificate: X509Certificate, uris: readonly string[]): boolean {
  const [id] = uris
  if (id === undefined || uris.length !== 1 || !isSpiffeId(id)) return false
  return !certificate.ca && (keyUsageBits(certificate.raw) & SIGNS_CERTIFICATES) === 0
}

/** SPIFFE-ID §2: lower-case trust domain, no empty or dot segments, no query, no port. */
export function isSpiffeId(text: string): boolean {
  if (text.length > MAX_SPIFFE_CHARS || !SPIFFE_ID.test(text)) return false
  return !text
    .slice('spiffe://'.length)
    .split('/')
    .some((segment) => segment === '.' || segment === '..')
}
