import type { Reason } from '../refusal.ts'
import type { Decision, Obligation } from './decision.ts'
import { BOUNDARY_REASONS, isReasonCode } from './reasons.ts'
import { parseObligation } from './parse-obligation.ts'
import { expectKeys, expectList, expectText, Unexpected } from './expect.ts'

const MEMBERS = ['allow', 'obligations', 'reasons', 'risk'] as const
const MAX_REASONS = 64
const MAX_OBLIGATIONS = 16
const MAX_DETAIL_CHARACTERS = 512

export type ParsedDecision =
  { readonly ok: true; readonly decision: Decision } | { readonly ok: false; readonly problem: string }

/**
 * Reads what an evaluation returned. Exactly one result with every member well-formed, or nothing: a decision
 * that is half understood is not a decision. Sets arrive in the order of their hashes, so they are sorted.
 */
export function parseDecision(results: unknown): ParsedDecision {
  try {
    return { ok: true, decision: decisionOf(results) }
  } catch (thrown) {
    if (thrown instanceof Unexpected) return { ok: false, problem: thrown.message }
    throw thrown
  }
}

function decisionOf(results: unknown): Decision {
  const [first, ...others] = expectList(results, 'the result set', 2)
  if (first === undefined) throw new Unexpected('the decision is undefined')
  if (others.length > 0) throw new Unexpected('there is more than one result')
  const { result } = expectKeys(first, 'the result', ['result'])
  const document: Readonly<Record<string, unknown>> = expectKeys(result, 'the decision', MEMBERS, [
    'reported',
  ])
  const { allow, risk } = document
  if (typeof allow !== 'boolean') throw new Unexpected('allow is not a boolean')
  if (typeof risk !== 'number' || !(risk >= 0 && risk <= 10)) throw new Unexpected('risk is not from 0 to 10')
  const reasons = reasonsIn(document['reasons'], 'reasons')
  const reported = 'reported' in document ? reasonsIn(document['reported'], 'reported') : []
  for (const { code } of reported)
    if (BOUNDARY_REASONS.has(code)) throw new Unexpected(`${code} is only reported, and has to deny`)
  const obligations = expectList(document['obligations'], 'obligations', MAX_OBLIGATIONS).map(parseObligation)
  if (allow && reasons.length > 0) throw new Unexpected('the call is allowed and denied at once')
  return { allow, risk, reasons, reported, obligations: sortObligations(obligations) }
}

function reasonsIn(untrusted: unknown, name: string): readonly Reason[] {
  return expectList(untrusted, name, MAX_REASONS).map(reasonOf).sort(byRule)
}

function reasonOf(untrusted: unknown): Reason {
  const { code, rule, detail } = expectKeys(untrusted, 'a reason', ['code', 'detail', 'rule'])
  const reasonCode = expectText(code, 'a reason code', 64)
  if (!isReasonCode(reasonCode))
    throw new Unexpected(`${JSON.stringify(reasonCode)} is not a known reason code`)
  if (typeof detail !== 'string') throw new Unexpected('a detail is not a text')
  return {
    code: reasonCode,
    rule: expectText(rule, 'a rule id', 64),
    // Details may quote the caller; cutting one must not leave half a character behind.
    detail: detail.slice(0, MAX_DETAIL_CHARACTERS).toWellFormed(),
  }
}

function byRule(left: Reason, right: Reason): number {
  return (
    compare(left.rule, right.rule) || compare(left.code, right.code) || compare(left.detail, right.detail)
  )
}

function sortObligations(obligations: readonly Obligation[]): readonly Obligation[] {
  const sorted = obligations.toSorted((left, right) => compare(left.id, right.id))
  for (const [index, { id }] of sorted.entries()) {
    if (index > 0 && sorted[index - 1]?.id === id) throw new Unexpected(`two obligations have the id ${id}`)
  }
  return sorted
}

/** By code unit: the same everywhere, unlike a locale's order. */
function compare(left: string, right: string): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}
