import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { HeaderList } from '../../lib/header-list.ts'

/** Slack's own bound for what is too old to be believed. */
export const MAX_AGE_MS = 5 * 60_000
/** How far Slack's clock may be ahead of ours. */
export const MAX_SKEW_MS = 60_000

export type SignatureFault =
  /** No signature, or more than one. */
  | 'unsigned'
  | 'forged'
  /** Signed, but longer ago than a message takes. */
  | 'stale'
  /** Signed for a time to come, so that it could be kept until then. */
  | 'future'

export type Signature =
  | { readonly ok: true; /** The same for the same message, however it is sent. */ readonly key: string }
  | { readonly ok: false; readonly fault: SignatureFault }

/**
 * Whether Slack sent these bytes, and lately. Of a forged message nothing else is said, so that nobody learns of their clock
 * from ours.
 *
 * @see https://docs.slack.dev/authentication/verifying-requests-from-slack
 */
export function verifySignature(
  untrusted: { readonly headers: HeaderList; readonly body: Buffer },
  secrets: readonly string[],
  nowMs: number,
): Signature {
  const { headers, body } = untrusted
  const timestamp = headers.get('x-slack-request-timestamp') ?? ''
  const presented = /^v0=([0-9a-f]{64})$/.exec(headers.get('x-slack-signature') ?? '')?.[1]
  if (presented === undefined || !/^[0-9]{1,12}$/.test(timestamp)) return { ok: false, fault: 'unsigned' }
  const given = Buffer.from(presented, 'hex')
  const base = Buffer.concat([Buffer.from(`v0:${timestamp}:`), body])
  let isGenuine = false
  for (const secret of secrets) {
    if (timingSafeEqual(given, createHmac('sha256', secret).update(base).digest())) isGenuine = true
  }
  if (!isGenuine) return { ok: false, fault: 'forged' }
  const ageMs = nowMs - Number(timestamp) * 1_000
  if (ageMs > MAX_AGE_MS) return { ok: false, fault: 'stale' }
  if (ageMs < -MAX_SKEW_MS) return { ok: false, fault: 'future' }
  return { ok: true, key: createHash('sha256').update(base).digest('hex') }
}
