import { createInstance } from './instance.ts'
import type { CompiledPolicy, Instance } from './instance.ts'
import type { Serialized } from './serialize-input.ts'

/** Pages an instance may have grown by before it is replaced, because memory of WebAssembly never shrinks. */
const WATERMARK_PAGES = 256

export interface EvaluationEvents {
  /** An evaluation threw; the call was refused and the instance is gone. */
  onThrow(cause: unknown): void
  /** An instance was replaced because it had grown to `memoryPages`. */
  onRecycle(memoryPages: number): void
}

/** The result set of an evaluation, one character for each byte, or why there is none. */
export type Evaluated =
  | { readonly kind: 'results'; readonly bytes: string }
  | Exclude<Serialized, { kind: 'text' }>
  | { readonly kind: 'unavailable' }

/** Evaluates on one instance at a time, which it replaces whenever it cannot be trusted. */
export interface Evaluation {
  /** Never throws. */
  run(entrypointId: number, serialized: Serialized, maxBytes: number): Evaluated
  /** 64 KiB pages held; 0 while there is no instance. */
  memoryPages(): number
}

/** @throws BundleError when no first instance can be made */
export function createEvaluation(compiled: CompiledPolicy, events: EvaluationEvents): Evaluation {
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
  const evaluate = (on: Instance, entrypointId: number, text: string, maxBytes: number): Evaluated => {
    try {
      const bytes = on.evaluate(entrypointId, text, maxBytes)
      if (bytes === undefined) return { kind: 'unfit', problem: `more than ${maxBytes} bytes` }
      const memoryPages = on.memoryPages()
      if (memoryPages > watermarkPages) {
        events.onRecycle(memoryPages)
        replace()
      }
      return { kind: 'results', bytes }
    } catch (cause) {
      events.onThrow(cause)
      replace()
      return { kind: 'threw', cause }
    }
  }

  return {
    run(entrypointId, serialized, maxBytes) {
      if (serialized.kind !== 'text') return serialized
      if (instance === undefined) replace()
      if (instance === undefined) return { kind: 'unavailable' }
      return evaluate(instance, entrypointId, serialized.text, maxBytes)
    },
    memoryPages: () => instance?.memoryPages() ?? 0,
  }
}
