import type { Decided, Outcome, Progress, Sealed, Unparsed } from '../exchange.ts'
import { printable } from '../lib/scrub.ts'
import {
  declaredFields,
  detailField,
  reasonFields,
  requestFields,
  resourceFields,
  timeField,
  whatFields,
  whoFields,
} from './call-fields.ts'
import type { DecisionEntry, OutcomeEntry } from './entry.ts'
import { factFields } from './fact-fields.ts'
import type { KeyedTokens } from './keyed-tokens.ts'

/** The intent of a call that policy allowed, complete but for the bytes that will answer it. */
export function decisionEntry(sealed: Sealed, nowMs: number, tokens: KeyedTokens): DecisionEntry {
  const { call } = sealed.permit
  const { decision, policy } = call
  const facts = factFields(call)
  return {
    v: 1,
    type: 'decision',
    call: call.arrival.callId,
    time: timeField(nowMs),
    received: timeField(call.arrival.receivedAtMs),
    trace: call.trace.traceId,
    who: whoFields(call.caller),
    what: whatFields(call, tokens),
    resource: resourceFields(call.resource, tokens),
    environment: call.environment,
    decision: 'allow',
    risk: decision.risk,
    reasons: reasonFields(decision.reasons),
    obligations: decision.obligations.slice(0, 16).map(({ id }) => printable(id, 64)),
    policy: policyFields(policy),
    ...(facts && { facts }),
    declared: declaredFields(call.declared, tokens),
    credential: printable(sealed.credentialVersion, 128),
    request: requestFields(call.content, tokens),
  }
}

/** The outcome of a call whose decision entry is on record. */
export function concludingEntry(
  call: Progress,
  outcome: Outcome,
  durationMs: number,
  nowMs: number,
  tokens: KeyedTokens,
): OutcomeEntry {
  const { upstreamStatus, upstreamMs, replyBytes, replyDigest } = outcome
  return {
    v: 1,
    type: 'outcome',
    call: call.arrival.callId,
    time: timeField(nowMs),
    outcome: outcome.code,
    status: outcome.status,
    upstream: { status: upstreamStatus, ms: tenths(upstreamMs) },
    reply: { bytes: replyBytes, digest: replyDigest === '' ? '' : tokens.commitmentTo(replyDigest) },
    ms: tenths(durationMs),
    detail: detailField(outcome.detail),
    reasons: reasonFields(outcome.reasons),
  }
}

/** The one entry of a call that was refused before anything could go upstream: all that was known of it. */
export function refusalEntry(
  call: Progress,
  outcome: Outcome,
  durationMs: number,
  nowMs: number,
  tokens: KeyedTokens,
): OutcomeEntry {
  const { caller, connector, operation, pathParams, method, resource, environment, declared } = call
  const policy = call.policy ?? outcome.decidedBy
  const facts = policy && factFields(call)
  const risk = call.decision?.risk ?? outcome.decidedBy?.risk
  return {
    v: 1,
    type: 'outcome',
    call: call.arrival.callId,
    time: timeField(nowMs),
    outcome: outcome.code,
    status: outcome.status,
    ms: tenths(durationMs),
    detail: detailField(outcome.detail),
    reasons: reasonFields(outcome.reasons),
    received: timeField(call.arrival.receivedAtMs),
    ...(call.trace && { trace: call.trace.traceId }),
    ...(call.peer && { peer: printable(call.peer.address, 64) }),
    ...(caller && { who: whoFields(caller) }),
    ...(connector && operation && pathParams && method !== undefined
      ? { what: whatFields({ connector, operation, pathParams, method }, tokens) }
      : {}),
    ...(resource && { resource: resourceFields(resource, tokens) }),
    ...(environment && { environment }),
    ...(policy && { policy: policyFields(policy) }),
    ...(risk !== undefined && { risk }),
    ...(facts && { facts }),
    ...(declared && { declared: declaredFields(declared, tokens) }),
  }
}

/** The one entry of a request that could not be parsed. */
export function unparsedEntry(unparsed: Unparsed, nowMs: number): OutcomeEntry {
  return {
    v: 1,
    type: 'outcome',
    call: unparsed.callId,
    time: timeField(nowMs),
    outcome: unparsed.refusal.code,
    status: unparsed.status,
    detail: detailField(unparsed.refusal.detail ?? ''),
    received: timeField(unparsed.receivedAtMs),
    peer: printable(unparsed.peerAddress, 64),
  }
}

function policyFields({ digest, revision }: Decided['policy']): DecisionEntry['policy'] {
  return { digest, revision: printable(revision, 128) }
}

function tenths(durationMs: number): number {
  return Math.round(durationMs * 10) / 10
}
