import { join } from 'node:path'
import type { Control } from './frame.ts'
import { Group } from './group.ts'
import { isDiskFull, type LogDisk, type LogFile } from './log-disk.ts'

export interface BeginOptions {
  readonly disk: LogDisk
  readonly directory: string
  readonly header: Pick<Extract<Control, { kind: 'segment' }>, 'epoch' | 'segment' | 'firstIndex'>
  readonly carried: readonly Uint8Array[]
  /** Frees what is kept for a full disk; false when there is nothing left to free. */
  readonly makeRoom: () => Promise<boolean>
}

/** One file of an epoch while it is being written. */
export class SegmentFile {
  readonly number: number
  readonly #file: LogFile
  readonly #makeRoom: () => Promise<boolean>
  #sizeBytes = 0
  #entriesEndBytes = 0
  #durableBytes = 0
  #markedBytes = 0

  private constructor(number: number, file: LogFile, makeRoom: () => Promise<boolean>) {
    this.number = number
    this.#file = file
    this.#makeRoom = makeRoom
  }

  /** Creates the file and writes its header with the entries that it carries over; gives back both. */
  static async begin(options: BeginOptions): Promise<{ segment: SegmentFile; head: Group }> {
    const { disk, directory, header, carried, makeRoom } = options
    const file = await disk.create(join(directory, segmentName(header.segment)))
    const segment = new SegmentFile(header.segment, file, makeRoom)
    const head = new Group()
    head.addControl({ kind: 'segment', format: 'toolgate-wal-1', ...header, carried: carried.length })
    for (const entry of carried) head.addEntry(entry)
    try {
      await disk.syncDirectory(directory)
      await segment.write(head)
    } catch (cause) {
      await file.close()
      throw cause
    }
    return { segment, head }
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
      const taken = await this.#take(bytes.subarray(writtenBytes))
      if (taken <= 0) throw new Error('the audit segment took no bytes')
      writtenBytes += taken
      this.#sizeBytes += taken
    }
    if (group.entries > 0) this.#entriesEndBytes = this.#sizeBytes
  }

  /** What a full disk did not take it may take once there is room again; a failed fsync is another matter. */
  async #take(bytes: Buffer): Promise<number> {
    try {
      return await this.#file.write(bytes, this.#sizeBytes)
    } catch (cause) {
      if (!isDiskFull(cause) || !(await this.#makeRoom())) throw cause
      return this.#file.write(bytes, this.#sizeBytes)
    }
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
