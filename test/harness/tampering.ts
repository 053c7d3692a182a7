import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Problem } from '../../gateway/audit/verify/problem.ts'
import { verifyAudit, type VerifyOptions } from '../../gateway/audit/verify/verify-audit.ts'
import { recordLives, type RecordedLives } from './recorded-lives.ts'

type Node = Parameters<RecordedLives['life']>[0]
type Which = Parameters<RecordedLives['life']>[1]

/** An audit directory to do evil in, as often as one likes. Paths are below it. */
export interface Tampering extends AsyncDisposable {
  readonly directory: string
  /** The same directory some time before. */
  readonly earlier: string
  /** Path of a file, or of the whole, of one log. */
  inLog(node: Node, which: Which, file?: string): string
  read(file: string): Buffer
  write(file: string, bytes: Buffer | string): void
  flip(file: string, at: number): void
  remove(file: string): void
  /** Removes a directory. */
  removeAll(place: string): void
  /** Puts a log, or everything, back to what it was before. */
  putBack(place?: string): void
  /** Puts two files, or two logs, in each other's place. */
  swap(one: string, other: string): void
  /** What is wrong once `tamper` has had its way; the directory is as before afterwards. */
  problemsAfter(tamper: () => void, more?: Partial<VerifyOptions>): Promise<readonly Problem[]>
}

export async function startTampering(): Promise<Tampering> {
  const lives = await recordLives()
  const { directory, earlier } = lives
  const pristine = join(dirname(directory), 'pristine')
  cpSync(directory, pristine, { recursive: true })
  /** What single files held before. */
  const touched = new Map<string, Buffer | undefined>()
  /** Whether more than single files was tampered with. */
  let isUpset = false

  const touch = (file: string): string => {
    const path = join(directory, file)
    touched.set(path, existsSync(path) ? readFileSync(path) : undefined)
    return path
  }
  const restore = (): void => {
    if (isUpset) {
      rmSync(directory, { recursive: true })
      cpSync(pristine, directory, { recursive: true })
    }
    for (const [path, bytes] of touched) {
      if (bytes === undefined) rmSync(path, { force: true })
      else writeFileSync(path, bytes)
    }
    touched.clear()
    isUpset = false
  }
  const read = (file: string): Buffer => readFileSync(join(directory, file))
  const write = (file: string, bytes: Buffer | string): void => {
    const path = touch(file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, bytes)
  }
  const removeAll = (place: string): void => {
    isUpset = true
    rmSync(join(directory, place), { recursive: true })
  }
  return {
    directory,
    earlier,
    inLog: (node, which, file = '.') => join(relative(directory, lives.life(node, which).directory), file),
    read,
    write,
    flip(file, at) {
      const bytes = read(file)
      bytes.writeUInt8(bytes.readUInt8(at) ^ 0x20, at)
      write(file, bytes)
    },
    remove: (file) => rmSync(touch(file)),
    removeAll,
    putBack(place = '') {
      removeAll(place)
      cpSync(join(earlier, place), join(directory, place), { recursive: true })
    },
    swap(one, other) {
      isUpset = true
      const [first, second] = [join(directory, one), join(directory, other)]
      renameSync(first, `${first}.aside`)
      renameSync(second, first)
      renameSync(`${first}.aside`, second)
    },
    async problemsAfter(tamper, more = {}) {
      tamper()
      try {
        return (await verifyAudit({ directory, complete: true, ...more })).problems
      } finally {
        restore()
      }
    },
    [Symbol.asyncDispose]: () => lives[Symbol.asyncDispose](),
  }
}
