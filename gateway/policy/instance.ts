import { setImmediate } from 'node:timers/promises'
import type { Bundle } from './bundle.ts'
import { ENTRYPOINT } from './bundle.ts'
import { BundleError } from './bundle-error.ts'
import { ENTRYPOINTS } from './entrypoints.ts'
import type { Entrypoint } from './entrypoints.ts'
import { createSandbox, PAGE_BYTES } from './sandbox.ts'
import type { Evaluate, LoadedData, Sandbox } from './sandbox.ts'
import { importedMemoryPages } from './wasm-memory.ts'

/** Parsed data takes 13 to 15 times its JSON text; memory that is large enough at once loads ten times faster. */
const HEAP_PER_DATA_BYTE = 16

/** Pages for evaluation: input, intermediate values, result. */
const WORKING_PAGES = 16

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
interface Snapshot {
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

/**
 * Compiles the module, makes sure that it is one that can be evaluated, and gives it its data, which is not in it.
 *
 * @throws BundleError `wasm`, `builtin`, `entrypoint` or `data`
 */
export async function compilePolicy(
  bundle: Pick<Bundle, 'wasm' | 'data'>,
  memoryLimitPages: number,
): Promise<CompiledPolicy> {
  const initial = pagesFor(bundle, memoryLimitPages)
  let module: WebAssembly.Module
  try {
    module = await WebAssembly.compile(bundle.wasm)
  } catch (cause) {
    throw new BundleError('wasm', 'policy.wasm does not compile', { cause })
  }
  const memory = new WebAssembly.Memory({ initial, maximum: memoryLimitPages })
  const sandbox = createSandbox(module, memory)
  refuseHostBuiltins(sandbox)
  const entrypoints = entrypointsOf(sandbox)
  const snapshot = snapshotOf(sandbox, load(sandbox, bundle.data))
  return { module, entrypoints, snapshot, maximumPages: memoryLimitPages }
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

function pagesFor({ wasm, data }: Pick<Bundle, 'wasm' | 'data'>, memoryLimitPages: number): number {
  const dataPages = Math.ceil((data.length * HEAP_PER_DATA_BYTE) / PAGE_BYTES)
  const pages = importedMemoryPages(wasm) + dataPages + WORKING_PAGES
  if (pages <= memoryLimitPages) return pages
  throw new BundleError('data', `the policy needs ${pages} pages of memory, ${memoryLimitPages} are allowed`)
}

/** A missing builtin would throw only when a call reaches it, so none may be missing at load. */
function refuseHostBuiltins(sandbox: Sandbox): void {
  const names = Object.keys(sandbox.builtins()).sort()
  if (names.length === 0) return
  const wanted = names.join(', ')
  throw new BundleError('builtin', `the policy calls builtins that WebAssembly does not have: ${wanted}`)
}

function entrypointsOf(sandbox: Sandbox): ReadonlyMap<Entrypoint, number> {
  const ids = sandbox.entrypoints()
  const known = new Map<Entrypoint, number>()
  for (const name of ENTRYPOINTS) {
    const id = Object.hasOwn(ids, name) ? ids[name] : undefined
    if (typeof id === 'number') known.set(name, id)
  }
  if (known.has(ENTRYPOINT)) return known
  throw new BundleError('entrypoint', `policy.wasm does not have the entrypoint ${ENTRYPOINT}`)
}

function load(sandbox: Sandbox, data: Uint8Array): LoadedData {
  try {
    return sandbox.load(data)
  } catch (cause) {
    throw new BundleError('data', 'the data of the bundle cannot be loaded', { cause })
  }
}

function snapshotOf({ memory: { buffer } }: Sandbox, loaded: LoadedData): Snapshot {
  const memory = new Uint8Array(new SharedArrayBuffer(loaded.heap))
  memory.set(new Uint8Array(buffer, 0, loaded.heap))
  return { memory, loaded, pages: buffer.byteLength / PAGE_BYTES }
}
