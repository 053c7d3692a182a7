import { pass, refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'
import { hasLoneSurrogate, jsonProblem } from './bounded-json.ts'
import type { JsonBounds } from './bounded-json.ts'
import type { Decision } from './decision.ts'
import type { PolicyInput } from './input.ts'
import { createInstance, exactArrayBuffer } from './instance.ts'
import type { CompiledPolicy, Instance } from './instance.ts'
import { parseDecision } from './parse-decision.ts'

/** Bounds on one input. Evaluation time grows with the input and nothing can interrupt it. */
export interface InputBounds extends JsonBounds {
  readonly maxBytes: number
}

const INPUT_BOUNDS: InputBounds = { maxBytes: 128 * 1024, maxDepth: 64, maxValues: 8192 }

/** Pages an instance may have grown by before it is replaced, because memory of WebAssembly never shrinks. */
const WATERMARK_PAGES = 256

export interface EvaluatorEvents {
  /** An evaluation threw; the call was refused and the instance is gone. */
  onThrow(cause: unknown): void
  /** An instance was replaced because it had grown to `memoryPages`. */
  onRecycle(memoryPages: number): void
}

/** Evaluates one compiled policy, on one instance at a time, which it replaces whenever it cannot be trusted. */
export interface Evaluator {
  /** A decision, or the refusal that stands in for one. Never throws, never allows without a well-formed allow. */
  decide(input: PolicyInput): Verdict<Decision>
  /** 64 KiB pages held; 0 while there is no instance. */
  memoryPages(): number
}

/** @throws BundleError when no first instance can be made */
export function createEvaluator(
  compiled: CompiledPolicy,
  events: EvaluatorEvents,
  bounds: InputBounds = INPUT_BOUNDS,
): Evaluator {
  let instance: Instance | undefined = createInstance(compiled)
  const watermarkPages = Math.min(instance.memoryPages() + WATERMARK_PAGES, compiled.maximumPages)

  const replace = (): void => {
    instance = undefined
    try {
      instance = createInstance(compiled)
    } catch (cause) {
      // Out of memory, most likely: every call is refused until one of them finds that there is room again.
      events.onThrow(cause)
    }
  }

  return {
    decide(input) {
      const prepared = serialize(input, bounds)
      if (!prepared.ok) return prepared
      if (instance === undefined) replace()
      if (instance === undefined) return refuse('policy.unavailable')
      let results: unknown
      try {
        results = instance.evaluate(prepared.value)
      } catch (cause) {
        events.onThrow(cause)
        replace()
        return refuse('policy.error', { cause })
      }
      const memoryPages = instance.memoryPages()
      if (memoryPages > watermarkPages) {
        events.onRecycle(memoryPages)
        replace()
      }
      const parsed = parseDecision(results)
      return parsed.ok ? pass(parsed.decision) : refuse('policy.invalid', { detail: parsed.problem })
    },
    memoryPages: () => instance?.memoryPages() ?? 0,
  }
}

const encoder = new TextEncoder()

/**
 * The input as exact UTF-8 JSON in a buffer of its own: the only form that the SDK cannot misread. What the
 * evaluation would trip over is refused here, where it costs no instance.
 */
function serialize(input: PolicyInput, bounds: InputBounds): Verdict<ArrayBuffer> {
  try {
    const problem = callerJsonProblem(input, bounds)
    if (problem !== undefined) return refuse('policy.input_invalid', { detail: problem })
    const text = JSON.stringify(input)
    if (hasLoneSurrogate(text))
      return refuse('policy.input_invalid', { detail: 'a text that is not well-formed' })
    const bytes = encoder.encode(text)
    if (bytes.byteLength > bounds.maxBytes) {
      return refuse('policy.input_invalid', { detail: `more than ${bounds.maxBytes} bytes` })
    }
    return pass(exactArrayBuffer(bytes))
  } catch (cause) {
    return refuse('policy.error', { cause })
  }
}

/** Only these members hold JSON of the caller's own making; the type bounds the depth of every other. */
function callerJsonProblem(input: PolicyInput, bounds: JsonBounds): string | undefined {
  return (
    jsonProblem(input.params.body, bounds) ??
    jsonProblem(input.params.query, bounds) ??
    jsonProblem(input.authorization_details, bounds)
  )
}
