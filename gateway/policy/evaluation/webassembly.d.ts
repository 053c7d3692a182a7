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
    /** A new object whenever the memory has grown; the one before is detached. */
    readonly buffer: ArrayBuffer
    /** @throws RangeError past the maximum */
    grow(pages: number): number
  }
  const Memory: { new (descriptor: { initial: number; maximum: number }): Memory }
  interface Instance {
    /** Functions, memories and globals by name, of which the module says what they are. */
    readonly exports: unknown
  }
  const Instance: {
    new (module: Module, imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>): Instance
  }
  function compile(bytes: Uint8Array): Promise<Module>
}
