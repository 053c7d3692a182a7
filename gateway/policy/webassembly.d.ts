/** The part of the WebAssembly JavaScript API used here; it stands in the DOM library, which is not loaded. */
declare namespace WebAssembly {
  interface Module {
    readonly [brand]: 'WebAssembly.Module'
  }
  const brand: unique symbol
  const Module: {
    exports(module: Module): { name: string; kind: 'function' | 'table' | 'memory' | 'global' }[]
  }
  interface Memory {
    readonly buffer: ArrayBuffer
  }
  function compile(bytes: Uint8Array): Promise<Module>
}
