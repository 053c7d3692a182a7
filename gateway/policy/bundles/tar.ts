import { BundleError } from './bundle-error.ts'

const BLOCK_BYTES = 512

export interface TarLimits {
  readonly maxEntries: number
  readonly maxEntryBytes: number
}

/**
 * Reads an uncompressed POSIX ustar archive into entries by name, without the leading slash that `opa build`
 * writes. Stricter than tar: regular files only, plain relative names, each name once, correct checksums, and
 * nothing after the end marker.
 *
 * @throws BundleError `archive`
 */
export function readTar(archive: Buffer, limits: TarLimits): ReadonlyMap<string, Buffer> {
  const entries = new Map<string, Buffer>()
  let offset = 0
  for (;;) {
    const header = archive.subarray(offset, offset + BLOCK_BYTES)
    if (header.length < BLOCK_BYTES) throw malformed('ends inside a header or without its end marker')
    if (isZero(header)) break
    offset += BLOCK_BYTES
    const { name, sizeBytes, directory } = readHeader(header)
    if (sizeBytes > limits.maxEntryBytes)
      throw malformed(`has ${name} of more than ${limits.maxEntryBytes} bytes`)
    const content = archive.subarray(offset, offset + sizeBytes)
    if (content.length < sizeBytes) throw malformed(`ends inside ${name}`)
    offset += Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES
    if (directory) continue
    if (entries.has(name)) throw malformed(`holds ${name} twice`)
    if (entries.size === limits.maxEntries) throw malformed(`has more than ${limits.maxEntries} entries`)
    entries.set(name, content)
  }
  const end = archive.subarray(offset)
  if (end.length < 2 * BLOCK_BYTES || !isZero(end)) throw malformed('does not end with its end marker')
  return entries
}

function readHeader(header: Buffer): { name: string; sizeBytes: number; directory: boolean } {
  if (header.toString('latin1', 257, 262) !== 'ustar') throw malformed('is not in the ustar format')
  if (octal(header, 148, 8) !== checksum(header)) throw malformed('has a header with a wrong checksum')
  const type = header.toString('latin1', 156, 157)
  const sizeBytes = octal(header, 124, 12)
  const directory = type === '5'
  // Links could point outside, and PAX or GNU headers could rename the entry that follows.
  if (!directory && type !== '0' && type !== '\0')
    throw malformed(`has an entry of type ${JSON.stringify(type)}`)
  if (directory && sizeBytes !== 0) throw malformed('has a directory with content')
  const prefix = textField(header, 345, 155)
  const untrustedName = (prefix === '' ? '' : `${prefix}/`) + textField(header, 0, 100)
  return { name: plainName(untrustedName, directory), sizeBytes, directory }
}

function plainName(untrustedName: string, directory: boolean): string {
  const relative = untrustedName.replace(/^(?:\.?\/)/, '')
  const name = directory ? relative.replace(/\/$/, '') : relative
  if (directory && (name === '' || name === '.')) return '.'
  const segments = name.split('/')
  const plain = segments.every(
    (segment) => /^[\w.@+-]+$/.test(segment) && segment !== '.' && segment !== '..',
  )
  if (!plain) throw malformed(`has an entry named ${JSON.stringify(untrustedName.slice(0, 120))}`)
  return name
}

function textField(header: Buffer, start: number, lengthBytes: number): string {
  const field = header.subarray(start, start + lengthBytes)
  const end = field.indexOf(0)
  return field.toString('latin1', 0, end === -1 ? lengthBytes : end)
}

function octal(header: Buffer, start: number, lengthBytes: number): number {
  const digits = header
    .toString('latin1', start, start + lengthBytes)
    .replace(/[\0 ]+$/, '')
    .trimStart()
  if (!/^[0-7]{1,11}$/.test(digits)) throw malformed('has a header with a number that is not octal')
  return Number.parseInt(digits, 8)
}

/** Sum of the header's bytes, with the checksum field itself read as spaces. */
function checksum(header: Buffer): number {
  let sum = 0
  for (const [index, byte] of header.entries()) sum += index >= 148 && index < 156 ? 0x20 : byte
  return sum
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0)
}

function malformed(what: string): BundleError {
  return new BundleError('archive', `the archive ${what}`)
}
