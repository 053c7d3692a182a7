import { BundleError } from '../bundles/bundle-error.ts'

const IMPORT_SECTION = 2
const FUNCTION = 0
const TABLE = 1
const MEMORY = 2
const GLOBAL = 3

/**
 * The least number of 64 KiB pages that the module demands of the memory it imports. `WebAssembly.Module.imports`
 * does not tell, and the SDK's default of five makes larger policies fail to load.
 *
 * @throws BundleError `wasm`
 * @see https://www.w3.org/TR/wasm-core-2/#import-section
 */
export function importedMemoryPages(wasm: Uint8Array): number {
  const reader = { wasm, at: 8 }
  while (reader.at < wasm.length) {
    const id = byte(reader)
    const sizeBytes = unsigned(reader)
    if (id !== IMPORT_SECTION) {
      reader.at += sizeBytes
      continue
    }
    for (let count = unsigned(reader); count > 0; count -= 1) {
      const pages = readImport(reader)
      if (pages !== undefined) return pages
    }
    break
  }
  throw new BundleError('wasm', 'policy.wasm imports no memory: it was not made by opa build')
}

interface Reader {
  readonly wasm: Uint8Array
  at: number
}

function readImport(reader: Reader): number | undefined {
  skipName(reader)
  skipName(reader)
  const kind = byte(reader)
  if (kind === FUNCTION) {
    unsigned(reader)
  } else if (kind === TABLE) {
    byte(reader)
    limits(reader)
  } else if (kind === MEMORY) {
    return limits(reader)
  } else if (kind === GLOBAL) {
    reader.at += 2
  } else {
    throw new BundleError('wasm', `policy.wasm has an import of unknown kind ${kind}`)
  }
  return undefined
}

function limits(reader: Reader): number {
  const hasMaximum = (byte(reader) & 1) === 1
  const minimum = unsigned(reader)
  if (hasMaximum) unsigned(reader)
  return minimum
}

function skipName(reader: Reader): void {
  const lengthBytes = unsigned(reader)
  reader.at += lengthBytes
}

function byte(reader: Reader): number {
  const value = reader.wasm[reader.at]
  if (value === undefined) throw new BundleError('wasm', 'policy.wasm is cut short')
  reader.at += 1
  return value
}

/** LEB128, at most 32 bits. */
function unsigned(reader: Reader): number {
  let value = 0
  for (let shift = 0; shift < 35; shift += 7) {
    const next = byte(reader)
    value += (next & 0x7f) * 2 ** shift
    if (next < 0x80) return value
  }
  throw new BundleError('wasm', 'policy.wasm has a number of more than 32 bits')
}
