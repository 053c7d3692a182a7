/** The log on disk is not what was written: somebody has to look before anything goes on. */
export class CorruptLog extends Error {
  override readonly name = 'CorruptLog'
  readonly path: string
  readonly offset: number

  constructor(path: string, offset: number, message: string) {
    super(`${message}: ${path} at byte ${String(offset)}`)
    this.path = path
    this.offset = offset
  }
}
