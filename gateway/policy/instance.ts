import type { Bundle } from './bundle.ts'
import { ENTRYPOINT } from './bundle.ts'
import { BundleError } from './bundle-error.ts'
import { loadPolicySync } from './opa-sdk.ts'
import type { LoadedPolicy } from './opa-sdk.ts'
import { importedMemoryPages } from './wasm-memory.ts'

const PAGE_BYTES = 65_536

/** Parsed data takes 13 to 15 times its JSON text; memory that is large enough at once loads ten times faster. */
const HEAP_PER_DATA_BYTE = 16

/** Pages for evaluation: input, intermediate values, result. */
const WORKING_PAGES = 16

/** Exports that an ABI 1 module of the kind we evaluate has to have. */
const REQUIRED_EXPORTS = [
  'builtins',
  'entrypoints',
  'opa_eval',
  'opa_heap_ptr_get',
  'opa_heap_ptr_set',
  'opa_json_dump',
  'opa_json_parse',
  'opa_malloc',
  'opa_wasm_abi_version',
  'opa_wasm_abi_minor_version',
]

/** A compiled bundle, from which instances are made. */
export interface CompiledPolicy {
  readonly module: WebAssembly.Module
  readonly data: ArrayBuffer
  readonly initialPages: number
  readonly maximumPages: number
}

/**
 * One sandbox: a WebAssembly instance with its own memory and data. Not re-entrant. After anything it throws it
 * must not be used again, because the throw has leaked part of its stack.
 */
export interface Instance {
  /** Evaluates the entrypoint on UTF-8 JSON of exactly `input.byteLength` bytes. */
  evaluate(input: ArrayBuffer): unknown
  memoryPages(): number
}

/** @throws BundleError `wasm` */
export async function compilePolicy(bundle: Bundle, memoryLimitPages: number): Promise<CompiledPolicy> {
  const minimumPages = importedMemoryPages(bundle.wasm)
  const dataPages = Math.ceil((bundle.data.length * HEAP_PER_DATA_BYTE) / PAGE_BYTES)
  const initialPages = minimumPages + dataPages + WORKING_PAGES
  if (initialPages > memoryLimitPages) {
    throw new BundleError(
      'data',
      `the policy needs ${initialPages} pages of memory, ${memoryLimitPages} are allowed`,
    )
  }
  let module: WebAssembly.Module
  try {
    module = await WebAssembly.compile(bundle.wasm)
  } catch (cause) {
    throw new BundleError('wasm', 'policy.wasm does not compile', { cause })
  }
  const exported = new Set(WebAssembly.Module.exports(module).map(({ name }) => name))
  const missing = REQUIRED_EXPORTS.filter((name) => !exported.has(name))
  if (missing.length > 0) throw new BundleError('wasm', `policy.wasm does not export ${missing.join(', ')}`)
  return { module, data: exactArrayBuffer(bundle.data), initialPages, maximumPages: memoryLimitPages }
}

/**
 * Makes an instance and gives it its data, which is not in the module.
 *
 * @throws BundleError `wasm`, `builtin`, `entrypoint` or `data`
 */
export function createInstance(compiled: CompiledPolicy): Instance {
  const { module, data, initialPages, maximumPages } = compiled
  let policy: LoadedPolicy
  try {
    // The SDK refuses any ABI major but 1 here.
    policy = loadPolicySync(module, { initial: initialPages, maximum: maximumPages }, {})
  } catch (cause) {
    throw new BundleError('wasm', 'policy.wasm cannot be instantiated', { cause })
  }
  refuseHostBuiltins(policy)
  if (!Object.hasOwn(policy.entrypoints, ENTRYPOINT)) {
    throw new BundleError('entrypoint', `policy.wasm does not have the entrypoint ${ENTRYPOINT}`)
  }
  const entrypoint = policy.entrypoints[ENTRYPOINT] as number
  try {
    policy.setData(data)
  } catch (cause) {
    throw new BundleError('data', 'the data of the bundle cannot be loaded', { cause })
  }
  return {
    evaluate: (input) => policy.evaluate(input, entrypoint),
    memoryPages: () => policy.mem.buffer.byteLength / PAGE_BYTES,
  }
}

/** A missing builtin would throw only when a call reaches it, so none may be missing at load. */
function refuseHostBuiltins(policy: LoadedPolicy): void {
  const { builtins, opa_json_dump } = policy.wasmInstance.exports
  const start = opa_json_dump(builtins())
  const memory = Buffer.from(policy.mem.buffer)
  const wanted: unknown = JSON.parse(memory.toString('utf8', start, memory.indexOf(0, start)))
  const names = Object.keys(wanted as object).sort()
  if (names.length > 0) {
    throw new BundleError(
      'builtin',
      `the policy calls builtins that WebAssembly does not have: ${names.join(', ')}`,
    )
  }
}

/** The bytes alone in a buffer of their own: the SDK takes the whole ArrayBuffer, pool and all. */
export function exactArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = bytes
  if (buffer instanceof ArrayBuffer && byteOffset === 0 && buffer.byteLength === byteLength) return buffer
  return new Uint8Array(bytes).buffer
}
