import { closed, file, oneOf, optional } from './schema-parts.ts'

export const tlsSchema = {
  ...optional(
    closed({
      certificateFile: file('PEM certificate chain'),
      keyFile: file('PEM private key'),
      clientCaFile: file('CA that client certificates must chain to'),
      crlFile: file('Revocation list for client certificates'),
      clientCertificate: oneOf(['none', 'request', 'require'], 'none'),
    }),
  ),
  required: ['certificateFile', 'keyFile'],
}
