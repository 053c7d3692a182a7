import type { PolicyInput } from './input.ts'
import { callerText, operationText, type WhoCalls } from './shared-texts.ts'

/** An input as JSON, in the parts that the record commits to one by one; see `discloseCall`. */
export interface InputTexts {
  /** All that the other two do not hold. */
  readonly facts: string
  readonly declared: string
  readonly params: string
}

type WrittenApart = keyof WhoCalls | 'operation' | 'declared' | 'params'

const TEXTS = Symbol('texts of an input')

/**
 * With its texts, where they have been written: neither a copy nor JSON takes them along, so that they cannot be taken
 * for those of another call. In a `WeakMap` those of every call would stay until the next full collection.
 */
interface Written {
  readonly [TEXTS]?: InputTexts
}

/**
 * Writes an input, which nobody changes from then on, once: policy is given it, and then the record commits to it.
 *
 * @throws TypeError when it holds what JSON cannot write
 */
export function inputTexts(input: PolicyInput & Written): InputTexts {
  const known = input[TEXTS]
  if (known !== undefined) return known
  const { operation, params, resource, declared, signals, history, approval, time } = input
  const rest: Omit<PolicyInput, WrittenApart> = { resource, signals, history, approval, time }
  const texts: InputTexts = {
    facts: `${callerText(input)},"operation":${operationText(operation)},${JSON.stringify(rest).slice(1)}`,
    declared: JSON.stringify(declared),
    params: JSON.stringify(params),
  }
  // Not enumerable: what is spread or compared is the input.
  Object.defineProperty(input, TEXTS, { value: texts })
  return texts
}

/** All of it, as one text. @throws TypeError likewise */
export function inputText(input: PolicyInput): string {
  const { facts, declared, params } = inputTexts(input)
  return `${facts.slice(0, -1)},"declared":${declared},"params":${params}}`
}
