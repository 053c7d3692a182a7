import { createRequire } from 'node:module'

/** What we use of a loaded policy; the SDK's own types say `any` for all of it. */
export interface LoadedPolicy {
  readonly entrypoints: Readonly<Record<string, number>>
  readonly mem: WebAssembly.Memory
  readonly wasmInstance: {
    readonly exports: {
      readonly builtins: () => number
      readonly opa_json_dump: (address: number) => number
    }
  }
  /** `input` as the exact UTF-8 bytes of its JSON: what is not an ArrayBuffer the SDK reads as it likes. */
  evaluate(input: ArrayBuffer, entrypoint: number): unknown
  setData(data: ArrayBuffer): void
}

interface Sdk {
  readonly loadPolicySync: (
    module: WebAssembly.Module,
    memory: { readonly initial: number; readonly maximum: number },
    builtins: Readonly<Record<string, never>>,
  ) => LoadedPolicy
}

const require = createRequire(import.meta.url)

/**
 * The SDK. `loadPolicySync` is declared for ES modules but exported to CommonJS only, and an instance has to be
 * replaceable within a call.
 */
export const { loadPolicySync } = require('@open-policy-agent/opa-wasm') as Sdk
