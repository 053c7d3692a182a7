import { setImmediate } from 'node:timers/promises'
import type { Entrypoint } from './entrypoints.ts'
import { createSandbox, PAGE_BYTES } from './sandbox.ts'
import type { Evaluate, LoadedData } from './sandbox.ts'

/** About half a millisecond of copying, most of which is the system finding memory. */
const SLICE_BYTES = 1024 * 1024

const QUICKLY_COPIED_BYTES = 4 * SLICE_BYTES

/** A compiled bundle with its data loaded, from which instances are made, in any thread that it is sent to. */
export interface CompiledPolicy {
  readonly module: WebAssembly.Module
  /** Ids of the entrypoints that it has. */
  readonly entrypoints: ReadonlyMap<Entrypoint, number>
  readonly snapshot: Snapshot
  readonly maximumPages: number
}

/**
 * The memory of an instance that has its data and has evaluated nothing. All that an instance knows is in its memory:
 * the one variable outside of it is where the stack ends, which is the same whenever nothing runs.
 */
export interface Snapshot {
  /** Shared between threads, and never written again. */
  readonly memory: Uint8Array<SharedArrayBuffer>
  readonly loaded: LoadedData
  readonly pages: number
}

/** One sandbox, ready to evaluate. After anything it throws it must not be used again. */
export interface Instance {
  readonly evaluate: Evaluate
  memoryPages(): number
}

/** Makes an instance that has its data: by copying what is known, not by parsing it again. */
export function createInstance(compiled: CompiledPolicy): Instance {
  const { target, instance } = blankInstance(compiled)
  target.set(compiled.snapshot.memory)
  return instance
}

/** The same without holding up anything else for long: copied in slices, between which other work gets its turn. */
export async function createInstanceInSlices(compiled: CompiledPolicy): Promise<Instance> {
  const { target, instance } = blankInstance(compiled)
  const { memory } = compiled.snapshot
  for (let at = 0; at < memory.length; at += SLICE_BYTES) {
    await setImmediate()
    target.set(memory.subarray(at, at + SLICE_BYTES), at)
  }
  return instance
}

/** Whether the data is so little that copying it holds up nobody. */
export function isQuicklyCopied({ snapshot }: CompiledPolicy): boolean {
  return snapshot.memory.length <= QUICKLY_COPIED_BYTES
}

/** An instance whose memory is still to be filled. */
function blankInstance({ module, snapshot, maximumPages }: CompiledPolicy) {
  const memory = new WebAssembly.Memory({ initial: snapshot.pages, maximum: maximumPages })
  const sandbox = createSandbox(module, memory)
  const instance: Instance = {
    evaluate: sandbox.evaluateWith(snapshot.loaded),
    memoryPages: () => memory.buffer.byteLength / PAGE_BYTES,
  }
  return { target: new Uint8Array(memory.buffer), instance }
}
