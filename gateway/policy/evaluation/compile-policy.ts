import type { Bundle } from '../bundles/bundle.ts'
import { ENTRYPOINT } from '../bundles/bundle.ts'
import { BundleError } from '../bundles/bundle-error.ts'
import { ENTRYPOINTS } from './entrypoints.ts'
import type { Entrypoint } from './entrypoints.ts'
import type { CompiledPolicy, Snapshot } from './instance.ts'
import { createSandbox, PAGE_BYTES } from './sandbox.ts'
import type { LoadedData, Sandbox } from './sandbox.ts'
import { importedMemoryPages } from './wasm-memory.ts'

/** Parsed data takes 13 to 15 times its JSON text; memory that is large enough at once loads ten times faster. */
const HEAP_PER_DATA_BYTE = 16

/** Pages for evaluation: input, intermediate values, result. */
const WORKING_PAGES = 16

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
