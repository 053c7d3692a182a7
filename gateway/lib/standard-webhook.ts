import { createHmac, timingSafeEqual } from 'node:crypto'

/** One message as it stands on the wire; the three headers of Standard Webhooks are made of it. */
export interface SignedMessage {
  /** The same however often the message is sent. */
  readonly id: string
  /** Seconds since the epoch. */
  readonly timestamp: number
  readonly body: Uint8Array
}

/** More are not looked at: each costs an HMAC. */
const SIGNATURES_LIMIT = 8

/**
 * Headers of a signed request; a signature for each secret, so that a receiver can change over from one to the next.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function webhookHeaders(
  message: SignedMessage,
  secrets: readonly string[],
): Readonly<Record<string, string>> {
  const headers = { 'webhook-id': message.id, 'webhook-timestamp': String(message.timestamp) }
  if (secrets.length === 0) return headers
  const signatures = secrets.map((secret) => `v1,${signatureOf(message, secret).toString('base64')}`)
  return { ...headers, 'webhook-signature': signatures.join(' ') }
}

/** Whether one of the signatures was made with one of the secrets; takes as long for a near miss as for any other. */
export function isSigned(
  message: SignedMessage,
  untrustedSignatures: string,
  secrets: readonly string[],
): boolean {
  const presented = untrustedSignatures
    .split(' ', SIGNATURES_LIMIT)
    .flatMap((each) => (each.startsWith('v1,') ? [Buffer.from(each.slice(3), 'base64')] : []))
  let found = false
  for (const secret of secrets) {
    const wanted = signatureOf(message, secret)
    for (const each of presented) {
      if (each.length === wanted.length && timingSafeEqual(each, wanted)) found = true
    }
  }
  return found
}

function signatureOf({ id, timestamp, body }: SignedMessage, secret: string): Buffer {
  // Base64 behind the prefix; any other secret is its own bytes.
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret)
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()
}
