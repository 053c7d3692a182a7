import { createInstance, createInstanceInSlices, isQuicklyCopied } from './instance.ts'
import type { CompiledPolicy, Instance } from './instance.ts'
import type { Serialized } from './serialize-input.ts'

/** Pages an instance may have grown by before it is replaced, because memory of WebAssembly never shrinks. */
const WATERMARK_PAGES = 256

export interface EvaluationEvents {
  /** An evaluation threw, or an instance could not be made; the call was refused and the instance is gone. */
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
  /** 64 KiB pages held, of the instance that evaluates and the one that stands by. */
  memoryPages(): number
}

/** @throws BundleError or RangeError when no first instance can be made */
export async function createEvaluation(
  compiled: CompiledPolicy,
  events: EvaluationEvents,
): Promise<Evaluation> {
  const supply = createSupply(compiled, events)
  let instance: Instance | undefined = await createInstanceInSlices(compiled)
  const watermarkPages = Math.min(instance.memoryPages() + WATERMARK_PAGES, compiled.maximumPages)
  supply.prepare()

  const recycle = (memoryPages: number): void => {
    const next = memoryPages > watermarkPages ? supply.take() : undefined
    // Until there is another, it goes on: it is large, not broken.
    if (next === undefined) return
    instance = next
    events.onRecycle(memoryPages)
  }
  return {
    run(entrypointId, serialized, maxBytes) {
      if (serialized.kind !== 'text') return serialized
      instance ??= supply.take()
      if (instance === undefined) return { kind: 'unavailable' }
      try {
        const bytes = instance.evaluate(entrypointId, serialized.text, maxBytes)
        if (bytes === undefined) return { kind: 'unfit', problem: `more than ${maxBytes} bytes` }
        recycle(instance.memoryPages())
        return { kind: 'results', bytes }
      } catch (cause) {
        instance = undefined
        events.onThrow(cause)
        instance = supply.take()
        return { kind: 'threw', cause }
      }
    },
    memoryPages: () => (instance?.memoryPages() ?? 0) + supply.memoryPages(),
  }
}

/** Where the next instance comes from. */
interface Supply {
  /** An instance that has evaluated nothing; `undefined` while there is none. */
  take(): Instance | undefined
  /** Sees to it that there is one. */
  prepare(): void
  memoryPages(): number
}

/**
 * Little data is copied when an instance is needed. Much of it would hold up every call: an instance stands by then,
 * and the next is made in slices.
 */
function createSupply(compiled: CompiledPolicy, events: EvaluationEvents): Supply {
  if (isQuicklyCopied(compiled)) {
    return { take: () => attempt(compiled, events), prepare: () => undefined, memoryPages: () => 0 }
  }
  let spare: Instance | undefined
  let isPreparing = false
  const prepare = (): void => {
    if (isPreparing || spare !== undefined) return
    isPreparing = true
    createInstanceInSlices(compiled)
      .then((made) => (spare = made), events.onThrow)
      .finally(() => (isPreparing = false))
  }
  return {
    take() {
      const taken = spare
      spare = undefined
      prepare()
      return taken
    },
    prepare,
    memoryPages: () => spare?.memoryPages() ?? 0,
  }
}

/** Out of memory, most likely: every call is refused until one of them finds that there is room again. */
function attempt(compiled: CompiledPolicy, { onThrow }: EvaluationEvents): Instance | undefined {
  try {
    return createInstance(compiled)
  } catch (cause) {
    onThrow(cause)
    return undefined
  }
}
