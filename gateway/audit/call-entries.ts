import type { Approval } from '../approvals/approval.ts'
import { peopleFor } from '../approvals/people.ts'
import type { Decided, Progress, Sealed, Unparsed } from '../exchange.ts'
import { lastDecision, type Outcome } from '../outcome.ts'
import { printable } from '../lib/scrub.ts'
import {
  declaredFields,
  obligationFields,
  detailField,
  foundField,
  reasonFields,
  reportedField,
  requestFields,
  resourceFields,
  whatFields,
  whoFields,
} from './call-fields.ts'
import { isoTime } from '../lib/iso-time.ts'
import type { DecisionEntry, OutcomeEntry } from './entry.ts'
import type { DisclosedFields, PolicyFields, UsedApprovalFields } from './entry-fields.ts'
import { factFields } from './fact-fields.ts'
import type { KeyedTokens } from './keyed-tokens.ts'

/**
 * The intent of a call that policy allowed, complete but for the bytes that will answer it. Here as below, what is
 * `disclosed` elsewhere is only committed to; without a store of disclosures, facts stand in the entry itself.
 */
export function decisionEntry(
  sealed: Sealed,
  nowMs: number,
  tokens: KeyedTokens,
  disclosed: DisclosedFields | undefined,
): DecisionEntry {
  const { approval, call } = sealed.permit
  const { decision, policy } = call
  const facts = disclosed === undefined ? factFields(call) : undefined
  return {
    ...(approval && { approval: usedApprovalFields(approval) }),
    call: call.arrival.callId,
    credential: printable(sealed.credentialVersion, 128),
    decision: 'allow',
    declared: declaredFields(call.declared, tokens, disclosed),
    ...(disclosed && { disclosed }),
    environment: call.environment,
    ...(facts && { facts }),
    ...foundField('findings', call.findings),
    lock_epoch: sealed.lockEpoch,
    obligations: obligationFields(decision.obligations.map(({ id }) => id)),
    policy: policyFields(policy),
    reasons: reasonFields(decision.reasons),
    received: isoTime(call.arrival.receivedAtMs),
    ...reportedField(decision.reported),
    request: requestFields(call.content, tokens),
    resource: resourceFields(call.resource, tokens, call.connector.sensitiveResources),
    risk: decision.risk,
    time: isoTime(nowMs),
    trace: call.trace.traceId,
    type: 'decision',
    v: 1,
    what: whatFields(call, tokens, disclosed),
    who: whoFields(call.caller),
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
  const { upstreamStatus, upstreamMs, replyBytes, replyDigest, obligations, redacted = 0 } = outcome
  return {
    call: call.arrival.callId,
    detail: detailField(outcome.detail),
    ms: tenths(durationMs),
    ...(obligations && { obligations: obligationFields(obligations) }),
    outcome: outcome.code,
    reasons: reasonFields(outcome.reasons),
    ...(redacted > 0 && { redacted }),
    reply: { bytes: replyBytes, digest: replyDigest === '' ? '' : tokens.commitmentTo(replyDigest) },
    ...foundField('reply_findings', outcome.findings),
    status: outcome.status,
    time: isoTime(nowMs),
    type: 'outcome',
    upstream: { ms: tenths(upstreamMs), status: upstreamStatus },
    v: 1,
  }
}

/** The one entry of a call that was refused before anything could go upstream: all that was known of it. */
export function refusalEntry(
  call: Progress,
  outcome: Outcome,
  durationMs: number,
  nowMs: number,
  tokens: KeyedTokens,
  disclosed: DisclosedFields | undefined,
): OutcomeEntry {
  const { caller, connector, operation, pathParams, method, resource, environment, declared } = call
  const policy = lastDecision(call, outcome)
  const facts = policy && disclosed === undefined ? factFields(call) : undefined
  return {
    call: call.arrival.callId,
    ...(declared && { declared: declaredFields(declared, tokens, disclosed) }),
    detail: detailField(outcome.detail),
    ...(disclosed && Object.keys(disclosed).length > 0 && { disclosed }),
    ...(environment && { environment }),
    ...(facts && { facts }),
    ...foundField('findings', call.findings),
    ms: tenths(durationMs),
    outcome: outcome.code,
    ...(call.peer && { peer: printable(call.peer.address, 64) }),
    ...(policy && { policy: policyFields(policy) }),
    reasons: reasonFields(outcome.reasons),
    received: isoTime(call.arrival.receivedAtMs),
    ...reportedField(policy?.reported),
    ...(resource && { resource: resourceFields(resource, tokens, connector?.sensitiveResources ?? []) }),
    ...(policy?.risk !== undefined && { risk: policy.risk }),
    status: outcome.status,
    time: isoTime(nowMs),
    ...(call.trace && { trace: call.trace.traceId }),
    type: 'outcome',
    v: 1,
    ...(connector && operation && pathParams && method !== undefined
      ? { what: whatFields({ connector, operation, pathParams, method }, tokens, disclosed) }
      : {}),
    ...(caller && { who: whoFields(caller) }),
  }
}

/** The one entry of a request that could not be parsed. */
export function unparsedEntry(unparsed: Unparsed, nowMs: number): OutcomeEntry {
  return {
    call: unparsed.callId,
    detail: detailField(unparsed.refusal.detail ?? ''),
    outcome: unparsed.refusal.code,
    peer: printable(unparsed.peerAddress, 64),
    received: isoTime(unparsed.receivedAtMs),
    status: unparsed.status,
    time: isoTime(nowMs),
    type: 'outcome',
    v: 1,
  }
}

const APPROVERS_LIMIT = 16

function usedApprovalFields({ id, votes }: Approval): UsedApprovalFields {
  const approvers = peopleFor(votes).map(({ id: name }) => printable(name, 256))
  return { approvers: approvers.slice(0, APPROVERS_LIMIT), id }
}

function policyFields({ digest, revision }: Decided['policy']): PolicyFields {
  return { digest, revision: printable(revision, 128) }
}

function tenths(durationMs: number): number {
  return Math.round(durationMs * 10) / 10
}
