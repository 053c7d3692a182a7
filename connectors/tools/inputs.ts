import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** A vendor's description as read from disk, with the digest that the header of the catalogue names. */
export interface Input {
  readonly text: string
  readonly sha256: string
}

/** An installed npm package that serves as a source of facts. */
export interface PackageInput {
  readonly directory: string
  readonly version: string
  readonly licence: string
}

/**
 * Reads `name` or `name.gz` from the first of `directories` that has it.
 *
 * @throws Error when none has.
 */
export function readDescription(directories: readonly string[], name: string): Input {
  for (const directory of directories) {
    const plain = join(directory, name)
    if (existsSync(plain)) return inputOf(readFileSync(plain))
    const packed = `${plain}.gz`
    if (existsSync(packed)) return inputOf(gunzipSync(readFileSync(packed)))
  }
  throw new Error(`${name} is in none of: ${directories.join(', ')}`)
}

/**
 * Finds the npm package `name` in a `node_modules` folder given directly or by its parent.
 *
 * @throws Error when it is in none of `directories`.
 */
export function findPackage(directories: readonly string[], name: string): PackageInput {
  for (const directory of directories) {
    for (const candidate of [join(directory, name), join(directory, 'node_modules', name)]) {
      const manifest = join(candidate, 'package.json')
      if (!existsSync(manifest)) continue
      const { version, license } = JSON.parse(readFileSync(manifest, 'utf8')) as Record<string, string>
      return { directory: candidate, version: version ?? '', licence: license ?? 'none named' }
    }
  }
  throw new Error(`the package ${name} is in none of: ${directories.join(', ')}`)
}

export function inputOf(bytes: Buffer): Input {
  return { text: bytes.toString('utf8'), sha256: createHash('sha256').update(bytes).digest('hex') }
}
