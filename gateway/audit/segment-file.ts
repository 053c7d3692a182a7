import { join } from 'node:path'
import type { Group } from './group.ts'
import type { LogDisk, LogFile } from './log-disk.ts'

/** One file of an epoch while it is being written. */
export class SegmentFile {
  readonly number: number
  readonly #file: LogFile
  #sizeBytes = 0
  #entriesEndBytes = 0
  #durableBytes = 0
  #markedBytes = 0

  private constructor(number: number, file: LogFile) {
    this.number = number
    this.#file = file
  }

  static async create(disk: LogDisk, directory: string, number: number): Promise<SegmentFile> {
    return new SegmentFile(number, await disk.create(join(directory, segmentName(number))))
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Whether an entry in the file is not known to be fsynced. */
  get dirty(): boolean {
    return this.#entriesEndBytes > this.#durableBytes
  }

  /** Whether more is fsynced than the file says of itself. */
  get unmarked(): boolean {
    return this.#durableBytes > this.#markedBytes
  }

  /** Notes in the group how much of this file is fsynced by now. */
  mark(group: Group): void {
    group.addControl({ kind: 'durable', bytes: this.#durableBytes })
    this.#markedBytes = this.#durableBytes
  }

  /** Appends the whole group; a short write is what a full disk looks like just before it says so. */
  async write(group: Group): Promise<void> {
    const bytes = group.bytes()
    let writtenBytes = 0
    while (writtenBytes < bytes.length) {
      const taken = await this.#file.write(bytes.subarray(writtenBytes), this.#sizeBytes)
      if (taken <= 0) throw new Error('the audit segment took no bytes')
      writtenBytes += taken
      this.#sizeBytes += taken
    }
    if (group.entries > 0) this.#entriesEndBytes = this.#sizeBytes
  }

  async sync(): Promise<void> {
    const coveredBytes = this.#sizeBytes
    await this.#file.sync()
    this.#durableBytes = coveredBytes
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

export function segmentName(number: number): string {
  return `segment-${String(number).padStart(6, '0')}.wal`
}

/** The number in a segment's file name; `undefined` for any other file. */
export function segmentNumber(name: string): number | undefined {
  const match = /^segment-(\d{6,})\.wal$/.exec(name)
  return match === null ? undefined : Number(match[1])
}
