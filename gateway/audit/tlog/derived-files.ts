import { dirname, join } from 'node:path'
import { writeWhole, type LogDisk } from '../log-disk.ts'

/** A file that can be made again from the write-ahead log. */
export interface DerivedFile {
  /** Below the directory of the log. */
  readonly path: string
  readonly bytes: Buffer
}

/** Files written side by side; few enough to leave threads of the pool to the write-ahead log. */
const PARALLEL = 2

/**
 * Puts files in their places whole or not at all: each is written beside its place, fsynced and renamed, and when all
 * have their names the directories are synced.
 */
export class DerivedFiles {
  readonly #disk: LogDisk
  readonly #root: string
  readonly #made = new Set<string>()

  constructor(disk: LogDisk, root: string) {
    this.#disk = disk
    this.#root = root
    this.#made.add(root)
  }

  async write(files: readonly DerivedFile[]): Promise<void> {
    const directories = new Set<string>()
    for (const { path } of files) directories.add(await this.#makeDirectoryOf(path))
    const queue = files[Symbol.iterator]()
    const writeNext = async (): Promise<void> => {
      for (const file of queue) await this.#writeOne(file)
    }
    // All have ended before this does, or they would write on under the attempt after this one.
    const ends = await Promise.allSettled(Array.from({ length: PARALLEL }, writeNext))
    for (const end of ends) if (end.status === 'rejected') throw end.reason
    for (const directory of directories) await this.#disk.syncDirectory(directory)
  }

  async remove(path: string): Promise<void> {
    await this.#disk.remove(join(this.#root, path))
  }

  /** Removes an empty directory. */
  async removeDirectory(path: string): Promise<void> {
    const directory = join(this.#root, path)
    await this.#disk.removeDirectory(directory)
    this.#made.delete(directory)
  }

  async #writeOne({ path, bytes }: DerivedFile): Promise<void> {
    const place = join(this.#root, path)
    const draft = `${place}.tmp`
    const file = await this.#disk.overwrite(draft)
    try {
      await writeWhole(file, bytes, 0)
      await file.sync()
    } finally {
      await file.close()
    }
    await this.#disk.rename(draft, place)
  }

  async #makeDirectoryOf(path: string): Promise<string> {
    const directory = dirname(join(this.#root, path))
    if (this.#made.has(directory)) return directory
    const parent = await this.#makeDirectoryOf(dirname(path))
    await this.#disk.makeDirectory(directory)
    await this.#disk.syncDirectory(parent)
    this.#made.add(directory)
    return directory
  }
}
