import type { Obligation } from '../policy/decision.ts'
import { compilePointers, type PointerNode } from './redact-pointers.ts'

/** What policy demands of the answer to one call, made from its obligations. */
export interface AnswerDuties {
  /** What must not reach the agent; `undefined` where nothing is to be redacted. */
  readonly pointers: PointerNode | undefined
  /** Bytes of body that may reach the agent at most; infinite where nothing bounds them. */
  readonly maxBytes: number
}

/** `undefined` where an answer passes as it comes, as nearly all do. */
export function answerDuties(obligations: readonly Obligation[]): AnswerDuties | undefined {
  if (!obligations.some(isOfAnswer)) return undefined
  const pointers: string[] = []
  let maxBytes = Number.POSITIVE_INFINITY
  for (const obligation of obligations) {
    if (!isOfAnswer(obligation)) continue
    if (obligation.type === 'redact') pointers.push(...obligation.properties.pointers)
    else maxBytes = Math.min(maxBytes, obligation.properties.maxBytes)
  }
  return { pointers: pointers.length === 0 ? undefined : compilePointers(pointers), maxBytes }
}

type OfAnswer = Extract<Obligation, { type: 'redact' | 'cap_bytes' }>

function isOfAnswer(obligation: Obligation): obligation is OfAnswer {
  return obligation.type === 'redact' || obligation.type === 'cap_bytes'
}
