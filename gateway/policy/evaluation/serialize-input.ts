import { hasLoneSurrogate, jsonProblem } from './bounded-json.ts'
import type { JsonBounds } from './bounded-json.ts'
import type { PolicyInput } from '../input.ts'
import { inputText } from '../input-texts.ts'

/** Bounds on one input. Evaluation time grows with the input and nothing can interrupt it. */
export interface InputBounds extends JsonBounds {
  readonly maxBytes: number
}

export const INPUT_BOUNDS: InputBounds = { maxBytes: 128 * 1024, maxDepth: 64, maxValues: 8192 }

/** An event of the decision log holds an input, the decision on it, and what is known of both. */
export const EVENT_BOUNDS: InputBounds = { maxBytes: 192 * 1024, maxDepth: 72, maxValues: 32_768 }

/** `unfit` is what the caller sent; `threw` is a value that is no input at all. */
export type Serialized =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'unfit'; readonly problem: string }
  | { readonly kind: 'threw'; readonly cause: unknown }

/**
 * The input as JSON text, once there is nothing in it that the evaluation would trip over: refused here, it costs no
 * instance. Never throws.
 */
export function serializeInput(input: PolicyInput, bounds: JsonBounds): Serialized {
  try {
    // Only these members hold JSON of the caller's own making; the type bounds the depth of every other.
    const problem =
      jsonProblem(input.params.body, bounds) ??
      jsonProblem(input.params.query, bounds) ??
      jsonProblem(input.authorization_details, bounds)
    return problem === undefined ? wellFormed(inputText(input)) : { kind: 'unfit', problem }
  } catch (cause) {
    return { kind: 'threw', cause }
  }
}

/**
 * Serializes events of the decision log, each of them once: the rules that drop and the rules that mask are asked one
 * after the other about the same event, which nobody changes in between.
 */
export function createEventSerializer(): (event: unknown) => Serialized {
  let last: { readonly event: unknown; readonly serialized: Serialized } | undefined
  return (event) => {
    if (last !== undefined && last.event === event) return last.serialized
    const serialized = serializeEvent(event, EVENT_BOUNDS)
    last = { event, serialized }
    return serialized
  }
}

/** The same as of an input for an event, of which nothing is known. */
function serializeEvent(event: unknown, bounds: JsonBounds): Serialized {
  try {
    const problem = jsonProblem(event, bounds)
    return problem === undefined ? wellFormed(JSON.stringify(event)) : { kind: 'unfit', problem }
  } catch (cause) {
    return { kind: 'threw', cause }
  }
}

function wellFormed(text: string): Serialized {
  if (hasLoneSurrogate(text)) return { kind: 'unfit', problem: 'a text that is not well-formed' }
  return { kind: 'text', text }
}
