import { constants, randomBytes, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { SecureContextOptions, TlsOptions } from 'node:tls'
import type { TlsConfig } from '../config/config.ts'
import { GatewayFault } from '../fault.ts'

/** RFC 5077 tickets as Node wants their keys: name, HMAC and AES key in one piece. */
const TICKET_KEYS_BYTES = 48

type SecureContext = SecureContextOptions & { readonly cert: Buffer; readonly ticketKeys: Buffer }

/**
 * Reads certificate, key, client CA and CRL afresh and checks that they load. Every reading comes with new ticket
 * keys: a resumed session keeps the old verdict on the client's certificate, so after a change of CA or CRL nothing
 * issued before may resume.
 *
 * @throws GatewayFault when a file cannot be read or used; nothing has changed then
 */
export function readSecureContext(config: TlsConfig): SecureContext {
  if (config.clientCertificate !== 'none' && config.clientCaFile === undefined) {
    // Without a CA of our own, Node would accept clients of any public one.
    throw new GatewayFault('gateway.fault', 'listen.tls: client certificates need clientCaFile')
  }
  try {
    const options = {
      cert: readFileSync(config.certificateFile),
      key: readFileSync(config.keyFile),
      ...(config.clientCaFile === undefined ? {} : { ca: readFileSync(config.clientCaFile) }),
      ...(config.crlFile === undefined ? {} : { crl: readFileSync(config.crlFile) }),
      minVersion: 'TLSv1.2' as const,
      honorCipherOrder: true,
      // A renegotiated handshake could bring another certificate than the one that calls are checked against.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      ticketKeys: randomBytes(TICKET_KEYS_BYTES),
    }
    createSecureContext(options)
    return options
  } catch (cause) {
    throw new GatewayFault('gateway.fault', 'listen.tls: the certificate files cannot be used', { cause })
  }
}

/** When the certificate ends that callers are shown: the first of its file. */
export function certificateEndMs(pem: Buffer): number {
  return new X509Certificate(pem).validToDate.getTime()
}

/** Options for a new server; later readings go to `setSecureContext`. */
export function tlsServerOptions(config: TlsConfig, handshakeTimeoutMs: number): TlsOptions {
  return {
    ...readSecureContext(config),
    requestCert: config.clientCertificate !== 'none',
    rejectUnauthorized: config.clientCertificate === 'require',
    handshakeTimeout: handshakeTimeoutMs,
    ALPNProtocols: ['http/1.1'],
  }
}
