import type { RefusalCode } from '../refusal.ts'
import { problemMembers, retryAfterSeconds } from './problem.ts'
import type { RefusalContext, RenderedRefusal } from './problem.ts'

/** A longer wait is the agent's to plan: the SDK would sleep through it with its whole queue stopped. */
const LONGEST_SILENT_WAIT_SECONDS = 60

/** Codes of Slack's own vocabulary, because callers compare `data.error` with these. */
const ERRORS = {
  'request.malformed': 'invalid_arguments',
  'request.ambiguous': 'invalid_arguments',
  'request.target_invalid': 'unknown_method',
  'request.headers_too_large': 'invalid_arguments',
  'request.body_too_large': 'msg_too_long',
  'request.body_invalid': 'invalid_form_data',
  'request.body_unsupported': 'invalid_post_type',
  'request.credential_misplaced': 'invalid_arguments',
  'request.expectation_unsupported': 'invalid_arguments',
  'request.timeout': 'request_timeout',
  'identity.missing': 'not_authed',
  'identity.ambiguous': 'invalid_auth',
  'identity.token_invalid': 'invalid_auth',
  'identity.token_expired': 'token_expired',
  'identity.token_unbound': 'invalid_auth',
  'identity.binding_mismatch': 'invalid_auth',
  'identity.proof_invalid': 'invalid_auth',
  'identity.proof_replayed': 'invalid_auth',
  'identity.nonce_required': 'invalid_auth',
  'identity.forwarded_certificate_untrusted': 'invalid_auth',
  'identity.scope_insufficient': 'missing_scope',
  'identity.keys_unavailable': 'service_unavailable',
  'route.unknown_connector': 'unknown_method',
  'route.unknown_operation': 'unknown_method',
  'limit.rate': 'ratelimited',
  'limit.quota': 'ratelimited',
  'limit.concurrency': 'ratelimited',
  'breaker.upstream_open': 'service_unavailable',
  'breaker.agent_open': 'ratelimited',
  'store.unavailable': 'service_unavailable',
  'idempotency.in_flight': 'request_timeout',
  'idempotency.done': 'invalid_arguments',
  'idempotency.mismatch': 'invalid_arguments',
  'policy.denied': 'access_denied',
  'policy.error': 'access_denied',
  'policy.invalid': 'access_denied',
  'policy.input_invalid': 'access_denied',
  'policy.obligation_unsupported': 'access_denied',
  'policy.answer_withheld': 'access_denied',
  'policy.unavailable': 'service_unavailable',
  'lock.engaged': 'access_denied',
  'lock.unknown': 'service_unavailable',
  'approval.required': 'access_denied',
  'approval.pending': 'access_denied',
  'approval.denied': 'access_denied',
  'approval.expired': 'access_denied',
  'approval.revoked': 'access_denied',
  'approval.used': 'access_denied',
  'approval.mismatch': 'access_denied',
  'approval.unknown': 'access_denied',
  'approval.unbindable': 'msg_too_long',
  'approval.too_many': 'ratelimited',
  'approval.unavailable': 'service_unavailable',
  'credential.unavailable': 'service_unavailable',
  'audit.unavailable': 'service_unavailable',
  'upstream.address_denied': 'fatal_error',
  'upstream.unreachable': 'service_unavailable',
  'upstream.protocol': 'fatal_error',
  'upstream.redirect_denied': 'fatal_error',
  'upstream.timeout': 'request_timeout',
  'gateway.draining': 'service_unavailable',
  'gateway.overloaded': 'service_unavailable',
  'gateway.fault': 'internal_error',
} as const satisfies Record<RefusalCode, string>

/**
 * Slack's error body. The SDK retries every status but 200 ten times over half an hour, so a refusal is 200 with
 * `ok: false`, as Slack's own are, a failed authentication included: its challenge stays in `WWW-Authenticate`,
 * which RFC 9110 §11.6.1 allows on any status.
 */
export function renderSlack(context: RefusalContext): RenderedRefusal {
  const members = problemMembers(context)
  const { code, title } = members
  return {
    status: statusOf(context),
    headers: ['Content-Type', 'application/json; charset=utf-8'],
    body: Buffer.from(
      JSON.stringify({
        ok: false,
        error: ERRORS[code],
        response_metadata: { messages: [`[ERROR] ${title} (${code}, call ${context.callId})`] },
        ...members,
      }),
    ),
  }
}

function statusOf({ refusal }: RefusalContext): number {
  // RFC 9449 §9: a nonce is demanded with 401, and the fetch that signs proofs below the SDK answers it there.
  if (refusal.code === 'identity.nonce_required') return 401
  const waitSeconds = retryAfterSeconds(refusal)
  const known = refusal.retryAfterMs !== undefined && waitSeconds !== undefined
  const worthWaiting = known && waitSeconds <= LONGEST_SILENT_WAIT_SECONDS
  return ERRORS[refusal.code] === 'ratelimited' && worthWaiting ? 429 : 200
}
