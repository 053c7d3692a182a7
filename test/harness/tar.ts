const BLOCK_BYTES = 512

export interface TarEntry {
  readonly name: string
  readonly content?: string | Buffer
  /** `0` for a file by default. */
  readonly type?: string
  readonly prefix?: string
  /** The size field as text, when it shall not be the true one. */
  readonly size?: string
}

/** A ustar archive with exactly these entries, well-formed or not. */
export function tar(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.map(tarEntry), tarEnd()])
}

export function tarEntry({ name, content = '', type = '0', prefix = '', size }: TarEntry): Buffer {
  const bytes = Buffer.from(content)
  const header = Buffer.alloc(BLOCK_BYTES)
  header.write(name, 0, 'latin1')
  header.write('0000600\0', 100, 'latin1')
  header.write('0000000\0', 108, 'latin1')
  header.write('0000000\0', 116, 'latin1')
  header.write(size ?? `${bytes.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
  header.write('00000000000\0', 136, 'latin1')
  header.write(type, 156, 'latin1')
  header.write('ustar\x0000', 257, 'latin1')
  header.write(prefix, 345, 'latin1')
  header.fill(0x20, 148, 156)
  const checksum = header.reduce((sum, byte) => sum + byte, 0)
  header.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  const padding = Buffer.alloc(Math.ceil(bytes.length / BLOCK_BYTES) * BLOCK_BYTES - bytes.length)
  return Buffer.concat([header, bytes, padding])
}

/** Two empty blocks. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK_BYTES)
}
