import type { X509Certificate } from 'node:crypto'
import type { CertifiedPerson } from '../config/admin-config.ts'
import type { Person } from '../control/actor.ts'
import { describeCertificate } from '../identity/certificate.ts'
import { distinguishedName } from '../identity/distinguished-name.ts'
import { verifiedCertificateOf } from '../identity/peer.ts'
import type { AdminRequest } from './request.ts'

/** The person whose certificate the handshake verified; `undefined` where it is nobody's, or there is none. */
export type PersonByCertificate = (request: AdminRequest, nowMs: number) => Person | undefined

export function createPersonByCertificate(people: readonly CertifiedPerson[]): PersonByCertificate {
  const byUri = new Map(people.flatMap((person) => (person.uri === undefined ? [] : [[person.uri, person]])))
  const bySubject = new Map(
    people.flatMap((person) => (person.subject === undefined ? [] : [[person.subject, person]])),
  )
  return ({ incoming }, nowMs) => {
    const certificate = verifiedCertificateOf(incoming.socket)
    if (certificate === undefined) return undefined
    const { uris, notAfterMs } = describeCertificate(certificate)
    // The handshake may be hours old.
    if (notAfterMs <= nowMs) return undefined
    const found = new Set(
      [bySubject.get(distinguishedName(certificate.subject)), ...uris.map((uri) => byUri.get(uri))].filter(
        (person) => person !== undefined,
      ),
    )
    const [person] = found
    // A certificate with the names of two people proves neither.
    return person !== undefined && found.size === 1 ? personOf(person, certificate) : undefined
  }
}

function personOf({ id, groups }: CertifiedPerson, { issuer }: X509Certificate): Person {
  return { id, issuer: distinguishedName(issuer), groups, channel: 'admin', authentication: 'mtls' }
}
