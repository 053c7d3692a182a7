import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  bitString,
  boolean,
  explicit,
  generalizedTime,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  pem,
  sequence,
  set,
  utf8String,
} from './der.ts'

const DAY_MS = 86_400_000
const ECDSA_WITH_SHA256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'))

/** A key pair with its certificate, as PEM text and as files beside each other. */
export interface Certified {
  readonly cert: string
  readonly key: string
  readonly certFile: string
  readonly keyFile: string
  readonly der: Buffer
  /** base64url SHA-256 of the DER, as in `cnf["x5t#S256"]`. */
  readonly x5t: string
  readonly serial: Buffer
}

export interface CertificateOptions {
  readonly commonName?: string
  /** URI subject alternative names, such as `spiffe://bank.example/agent/reviewer`. */
  readonly uris?: readonly string[]
  readonly dnsNames?: readonly string[]
  readonly addresses?: readonly string[]
  readonly notBefore?: Date
  readonly notAfter?: Date
  /** A CA certificate where `true`: a SPIFFE leaf must not be one. */
  readonly ca?: boolean
  /** Key usage, where it does not follow from `ca`. */
  readonly keyUsage?: 'signs certificates' | 'absent'
}

/** One certification authority and what it issues; keys and files live until disposal. */
export interface Pki extends AsyncDisposable {
  readonly ca: string
  readonly caFile: string
  readonly directory: string
  /** For 127.0.0.1, ::1 and localhost unless told otherwise. */
  readonly server: (options?: CertificateOptions) => Certified
  readonly client: (options?: CertificateOptions) => Certified
  /** PEM of a revocation list that names these certificates. */
  readonly crl: (revoked: readonly Certified[]) => string
}

/** Makes a certification authority with P-256 keys, valid for one day, without any outside program. */
export function createPki(): Pki {
  const directory = mkdtempSync(join(tmpdir(), 'toolgate-pki-'))
  const name = distinguishedName('Toolgate test CA')
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const root = certificate({
    subject: name,
    issuer: name,
    publicKey: keys.publicKey,
    signer: keys.privateKey,
    serial: serialNumber(),
    options: { ca: true },
    usage: 'ca',
  })
  const ca = pem('CERTIFICATE', root)
  const caFile = join(directory, 'ca.pem')
  writeFileSync(caFile, ca)
  let count = 0

  const issue = (usage: 'server' | 'client', options: CertificateOptions): Certified => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const serial = serialNumber()
    const subject = distinguishedName(options.commonName ?? usage)
    const der = certificate({
      subject,
      issuer: name,
      publicKey,
      signer: keys.privateKey,
      serial,
      options,
      usage,
    })
    count += 1
    const files = {
      certFile: join(directory, `${usage}-${count}.pem`),
      keyFile: join(directory, `${usage}-${count}.key`),
    }
    const cert = pem('CERTIFICATE', der)
    const key = String(privateKey.export({ type: 'pkcs8', format: 'pem' }))
    writeFileSync(files.certFile, cert)
    writeFileSync(files.keyFile, key, { mode: 0o600 })
    return { cert, key, ...files, der, serial, x5t: createHash('sha256').update(der).digest('base64url') }
  }

  return {
    ca,
    caFile,
    directory,
    server: (options = {}) =>
      issue('server', { dnsNames: ['localhost'], addresses: ['127.0.0.1', '::1'], ...options }),
    client: (options = {}) => issue('client', options),
    crl: (revoked) => revocationList(name, keys.privateKey, revoked),
    [Symbol.asyncDispose]: async () => rmSync(directory, { recursive: true, force: true }),
  }
}

interface CertificateParts {
  readonly subject: Buffer
  readonly issuer: Buffer
  readonly publicKey: KeyObject
  readonly signer: KeyObject
  readonly serial: Buffer
  readonly options: CertificateOptions
  readonly usage: 'ca' | 'server' | 'client'
}

/** RFC 5280 §4.1: the to-be-signed part, the algorithm, the signature. */
function certificate(parts: CertificateParts): Buffer {
  const { options } = parts
  const notBefore = options.notBefore ?? new Date(Date.now() - DAY_MS)
  const notAfter = options.notAfter ?? new Date(Date.now() + DAY_MS)
  const toBeSigned = sequence(
    explicit(0, integer(2)),
    integer(parts.serial),
    ECDSA_WITH_SHA256,
    parts.issuer,
    sequence(generalizedTime(notBefore), generalizedTime(notAfter)),
    parts.subject,
    parts.publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensions(parts))),
  )
  return sequence(toBeSigned, ECDSA_WITH_SHA256, bitString(sign('sha256', toBeSigned, parts.signer)))
}

function extensions({ options, usage }: CertificateParts): readonly Buffer[] {
  const ca = options.ca === true
  const list = [extension('2.5.29.19', true, sequence(...(ca ? [boolean(true)] : [])))]
  if (options.keyUsage !== 'absent') {
    // keyCertSign and cRLSign for an authority, digitalSignature for a leaf (RFC 5280 §4.2.1.3).
    const signs = ca || options.keyUsage === 'signs certificates'
    const bits = signs ? bitString(Buffer.from([0x06]), 1) : bitString(Buffer.from([0x80]), 7)
    list.push(extension('2.5.29.15', true, bits))
  }
  if (usage !== 'ca') {
    const purpose = usage === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2'
    list.push(extension('2.5.29.37', false, sequence(objectIdentifier(purpose))))
  }
  const names = [
    ...(options.uris ?? []).map((uri) => implicit(6, Buffer.from(uri))),
    ...(options.dnsNames ?? []).map((dns) => implicit(2, Buffer.from(dns))),
    ...(options.addresses ?? []).map((address) => implicit(7, addressBytes(address))),
  ]
  if (names.length > 0) list.push(extension('2.5.29.17', false, sequence(...names)))
  return list
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(objectIdentifier(id), ...(critical ? [boolean(true)] : []), octetString(value))
}

/** RFC 5280 §5.1, version 2, with a CRL number. */
function revocationList(issuer: Buffer, signer: KeyObject, revoked: readonly Certified[]): string {
  const now = new Date(Date.now() - 1000)
  const entries = revoked.map((one) => sequence(integer(one.serial), generalizedTime(now)))
  const toBeSigned = sequence(
    integer(1),
    ECDSA_WITH_SHA256,
    issuer,
    generalizedTime(now),
    generalizedTime(new Date(now.getTime() + DAY_MS)),
    ...(entries.length > 0 ? [sequence(...entries)] : []),
    explicit(0, sequence(extension('2.5.29.20', false, integer(1)))),
  )
  return pem(
    'X509 CRL',
    sequence(toBeSigned, ECDSA_WITH_SHA256, bitString(sign('sha256', toBeSigned, signer))),
  )
}

function distinguishedName(commonName: string): Buffer {
  return sequence(set(sequence(objectIdentifier('2.5.4.3'), utf8String(commonName))))
}

function addressBytes(address: string): Buffer {
  if (address === '::1') return Buffer.from([...Array.from({ length: 15 }, () => 0), 1])
  return Buffer.from(address.split('.').map(Number))
}

/** 16 random octets whose first is neither zero (not minimal in DER) nor above 0x7f (negative). */
function serialNumber(): Buffer {
  const serial = randomBytes(16)
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f)
  return serial
}
