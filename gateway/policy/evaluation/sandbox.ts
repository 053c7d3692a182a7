import { BundleError } from '../bundles/bundle-error.ts'

export const PAGE_BYTES = 65_536

/** Functions of ABI 1.2 and later that the gateway calls; numbers are addresses unless their name says otherwise. */
interface AbiFunctions {
  builtins(): number
  entrypoints(): number
  opa_eval(
    reserved: 0,
    entrypointId: number,
    data: number,
    input: number,
    inputBytes: number,
    heap: number,
    format: 0,
  ): number
  opa_heap_ptr_get(): number
  opa_json_dump(value: number): number
  opa_json_parse(json: number, jsonBytes: number): number
  opa_malloc(sizeBytes: number): number
}

const FUNCTIONS = [
  'builtins',
  'entrypoints',
  'opa_eval',
  'opa_heap_ptr_get',
  'opa_json_dump',
  'opa_json_parse',
  'opa_malloc',
] as const satisfies readonly (keyof AbiFunctions)[]

/** `opa_eval` takes and gives JSON text. */
const FORMAT_JSON = 0

/** A character of UTF-16 is at most this many bytes of UTF-8. */
const MAX_CHARACTER_BYTES = 3

/** What a policy says when it aborts may quote the caller. */
const MAX_ABORT_BYTES = 512

/**
 * One instance of a module that `opa build` made, with memory of its own. Not re-entrant. After anything it throws it
 * must not be used again: the throw has leaked part of the module's stack, and nothing gives it back.
 *
 * @see https://www.openpolicyagent.org/docs/wasm
 */
export interface Sandbox {
  readonly memory: WebAssembly.Memory
  /** Parses JSON into the memory, for good. */
  load(json: Uint8Array): LoadedData
  /** Makes the function that evaluates with that data, which lies in this memory. */
  evaluateWith(loaded: LoadedData): Evaluate
  /** Builtins that the module would call its host for, by id. */
  builtins(): Readonly<Record<string, unknown>>
  /** Ids by name. */
  entrypoints(): Readonly<Record<string, unknown>>
}

/** Address of the data, and where the memory behind it begins, which every evaluation uses anew. */
export interface LoadedData {
  readonly address: number
  readonly heap: number
}

/**
 * Evaluates on JSON text. The result set comes as JSON, one character for each byte of its UTF-8; `undefined` is an
 * input of more than `maxBytes`, which was not evaluated.
 */
export type Evaluate = (entrypointId: number, input: string, maxBytes: number) => string | undefined

const encoder = new TextEncoder()

/** @throws BundleError `wasm` when the module is of another kind */
export function createSandbox(module: WebAssembly.Module, memory: WebAssembly.Memory): Sandbox {
  let view = Buffer.from(memory.buffer)
  const current = (): Buffer => {
    // Memory that grew is another buffer; views of the one before have length 0.
    if (view.length === 0) view = Buffer.from(memory.buffer)
    return view
  }
  const bytesAt = (address: number): string => {
    const bytes = current()
    const end = bytes.indexOf(0, address)
    if (end === -1) throw new Error('the policy returned a text without an end')
    return bytes.toString('latin1', address, end)
  }
  const abi = instantiate(module, memory, (address) => {
    return new Error(`the policy aborted: ${textOf(bytesAt(address).slice(0, MAX_ABORT_BYTES))}`)
  })
  const parse = (address: number): Readonly<Record<string, unknown>> =>
    JSON.parse(textOf(bytesAt(abi.opa_json_dump(address)))) as Readonly<Record<string, unknown>>

  return {
    memory,
    load(json) {
      const at = abi.opa_malloc(json.length)
      current().set(json, at)
      const address = abi.opa_json_parse(at, json.length)
      if (address === 0) throw new Error('the data is not JSON to the policy')
      return { address, heap: abi.opa_heap_ptr_get() }
    },
    evaluateWith({ address, heap }) {
      let free = current().subarray(heap)
      return (entrypointId, input, maxBytes) => {
        if (input.length > maxBytes) return undefined
        const missingBytes = heap + input.length * MAX_CHARACTER_BYTES - current().length
        if (missingBytes > 0) memory.grow(Math.ceil(missingBytes / PAGE_BYTES))
        if (free.length === 0) free = current().subarray(heap)
        const { written } = encoder.encodeInto(input, free)
        if (written > maxBytes) return undefined
        return bytesAt(abi.opa_eval(0, entrypointId, address, heap, written, heap + written, FORMAT_JSON))
      }
    },
    builtins: () => parse(abi.builtins()),
    entrypoints: () => parse(abi.entrypoints()),
  }
}

/** Text from a string that has one character for each byte of its UTF-8. */
function textOf(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString()
}

function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  abortOf: (address: number) => Error,
): AbiFunctions {
  const exported = new Map(WebAssembly.Module.exports(module).map(({ name, kind }) => [name, kind]))
  const missing = FUNCTIONS.filter((name) => exported.get(name) !== 'function')
  if (missing.length > 0) throw new BundleError('wasm', `policy.wasm does not export ${missing.join(', ')}`)
  // Unreachable: a module that needs a builtin of its host is refused when it is loaded.
  const refuseBuiltin = (id: number): never => {
    throw new Error(`the policy called builtin ${id}, which the gateway does not supply`)
  }
  const env = {
    memory,
    opa_abort(address: number): never {
      throw abortOf(address)
    },
    // Output of print(), which may quote the caller.
    opa_println: () => undefined,
    opa_builtin0: refuseBuiltin,
    opa_builtin1: refuseBuiltin,
    opa_builtin2: refuseBuiltin,
    opa_builtin3: refuseBuiltin,
    opa_builtin4: refuseBuiltin,
  }
  let instance: WebAssembly.Instance
  try {
    instance = new WebAssembly.Instance(module, { env })
  } catch (cause) {
    throw new BundleError('wasm', 'policy.wasm cannot be instantiated', { cause })
  }
  const { opa_wasm_abi_version: version } = instance.exports as { opa_wasm_abi_version?: { value: unknown } }
  if (version?.value !== 1) {
    throw new BundleError('wasm', `policy.wasm is not of ABI 1 but ${String(version?.value)}`)
  }
  return instance.exports as AbiFunctions
}
