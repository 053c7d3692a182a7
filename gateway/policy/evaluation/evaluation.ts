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
  /** An evaluation took longer than its budget. */
  onOverBudget(elapsedMs: number): void
  /** The thread of isolated evaluations ended, by us or of itself; another takes its place. */
  onThreadEnd(cause: unknown): void
}

/** The result set of an evaluation, one character for each byte, or why there is none. */
export type Evaluated =
  | { readonly kind: 'results'; readonly bytes: string }
  | Exclude<Serialized, { kind: 'text' }>
  | { readonly kind: 'unavailable' }

/** Evaluates on one instance at a time, which it replaces whenever it cannot be trusted. */
export interface Evaluation extends Disposable {
  /** Never throws, never rejects. */
  run(entrypointId: number, serialized: Serialized, maxBytes: number): Evaluated | Promise<Evaluated>
  /** 64 KiB pages held, of the instance that evaluates and the one that stands by. */
  memoryPages(): number
}

/** Evaluates in the thread that asks. */
export interface LocalEvaluation extends Evaluation {
  run(entrypointId: number, serialized: Serialized, maxBytes: number): Evaluated
}

export interface EvaluationOptions {
  readonly events: EvaluationEvents
  /** Milliseconds that one evaluation may take. Nothing interrupts one in this thread; that it took longer is told. */
  readonly budgetMs: number
  /** Whether calls wait while an instance is made, so that one with much data has to stand by. */
  readonly standby: boolean
}

/** @throws BundleError or RangeError when no first instance can be made */
export async function createEvaluation(
  compiled: CompiledPolicy,
  { events, budgetMs, standby }: EvaluationOptions,
): Promise<LocalEvaluation> {
  const supply =
    standby && !isQuicklyCopied(compiled) ? createStandby(compiled, events) : createAtOnce(compiled, events)
  let instance: Instance | undefined = await createInstanceInSlices(compiled)
  const watermarkPages = Math.min(instance.memoryPages() + WATERMARK_PAGES, compiled.maximumPages)

  const recycle = (memoryPages: number): void => {
    const next = memoryPages > watermarkPages ? supply.take() : undefined
    // Until there is another, it goes on: it is large, not broken.
    if (next === undefined) return
    instance = next
    events.onRecycle(memoryPages)
  }
  const evaluate = (on: Instance, entrypointId: number, text: string, maxBytes: number): Evaluated => {
    try {
      const bytes = on.evaluate(entrypointId, text, maxBytes)
      if (bytes === undefined) return { kind: 'unfit', problem: `more than ${maxBytes} bytes` }
      recycle(on.memoryPages())
      return { kind: 'results', bytes }
    } catch (cause) {
      instance = undefined
      events.onThrow(cause)
      instance = supply.take()
      return { kind: 'threw', cause }
    }
  }
  return {
    run(entrypointId, serialized, maxBytes) {
      if (serialized.kind !== 'text') return serialized
      instance ??= supply.take()
      if (instance === undefined) return { kind: 'unavailable' }
      const startedMs = performance.now()
      const evaluated = evaluate(instance, entrypointId, serialized.text, maxBytes)
      const elapsedMs = performance.now() - startedMs
      if (elapsedMs > budgetMs) events.onOverBudget(elapsedMs)
      return evaluated
    },
    memoryPages: () => (instance?.memoryPages() ?? 0) + supply.memoryPages(),
    [Symbol.dispose]: () => undefined,
  }
}

/** Where the next instance comes from. */
interface Supply {
  /** An instance that has evaluated nothing; `undefined` while there is none. */
  take(): Instance | undefined
  memoryPages(): number
}

/** Copies an instance when it is needed. */
function createAtOnce(compiled: CompiledPolicy, events: EvaluationEvents): Supply {
  return { take: () => attempt(compiled, events), memoryPages: () => 0 }
}

/** Has one standing by, and makes the next in slices: copying much data would hold up every call. */
function createStandby(compiled: CompiledPolicy, events: EvaluationEvents): Supply {
  let spare: Instance | undefined
  let isPreparing = false
  const prepare = (): void => {
    if (isPreparing) return
    isPreparing = true
    createInstanceInSlices(compiled)
      .then((made) => (spare = made), events.onThrow)
      .finally(() => (isPreparing = false))
  }
  prepare()
  return {
    take() {
      const taken = spare
      spare = undefined
      prepare()
      return taken
    },
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
