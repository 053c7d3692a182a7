import { execFile } from 'node:child_process'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

/** The version that made the committed bundle: another one may compile the same rules to other bytes. */
export const OPA_VERSION = '1.20.2'

/** Where `test/harness/install-prerequisites` puts an `opa` of its own. */
export const OPA_CACHE_DIRECTORY = resolve(import.meta.dirname, '../../../node_modules/.cache/toolgate')

/** What `opa` prints for a large policy is mostly its trace of coverage. */
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024

const run = promisify(execFile)

export interface OpaResult {
  /** Exit code of `opa`: 0 done, 1 or 2 something is wrong with what it was given. */
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Path of the pinned `opa`: on PATH, in Go's bin folder, or in the cache of this repository.
 *
 * @throws Error that says what to install
 */
export function findOpa(): Promise<string> {
  found ??= search().catch((error: unknown) => {
    // Installing it must be enough: the next look is a new one.
    found = undefined
    throw error
  })
  return found
}

let found: Promise<string> | undefined

async function search(): Promise<string> {
  const directories = [OPA_CACHE_DIRECTORY, ...(await goBinDirectories())]
  const others: string[] = []
  for (const path of ['opa', ...new Set(directories.map((directory) => join(directory, 'opa')))]) {
    const version = await versionOf(path)
    if (version === OPA_VERSION) return path
    if (version !== undefined) others.push(`${path} is ${version}`)
  }
  throw new Error(
    [
      `opa ${OPA_VERSION} was not found${others.length > 0 ? ` (${others.join(', ')})` : ''}. Install it with`,
      `  CGO_ENABLED=0 go install github.com/open-policy-agent/opa@v${OPA_VERSION}`,
      'or put the release binary of that version, named opa, on PATH or into',
      `  ${OPA_CACHE_DIRECTORY}`,
    ].join('\n'),
  )
}

async function goBinDirectories(): Promise<readonly string[]> {
  const fallback = join(homedir(), 'go', 'bin')
  try {
    const { stdout } = await run('go', ['env', 'GOBIN', 'GOPATH'])
    const [goBin = '', goPath = ''] = stdout.split('\n')
    return [goBin, goPath === '' ? '' : join(goPath, 'bin'), fallback].filter((directory) => directory !== '')
  } catch {
    return [fallback]
  }
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(path, ['version'])
    return /^Version: (\S+)$/m.exec(stdout)?.[1]
  } catch {
    return undefined
  }
}

/**
 * Runs `opa` to its end, whatever it comes to.
 *
 * @throws Error when there is no `opa` of the pinned version, or it could not be run
 */
export async function tryOpa(args: readonly string[], cwd: string): Promise<OpaResult> {
  const opa = await findOpa()
  try {
    const { stdout, stderr } = await run(opa, args, { cwd, maxBuffer: MAX_OUTPUT_BYTES })
    return { exitCode: 0, stdout, stderr }
  } catch (cause) {
    const { code, stdout = '', stderr = '' } = cause as { code?: unknown; stdout?: string; stderr?: string }
    if (typeof code !== 'number') throw new Error(`opa ${args[0]} could not be run in ${cwd}`, { cause })
    return { exitCode: code, stdout, stderr }
  }
}

/** Runs `opa` and returns what it printed. Rejects with its own words when it fails. */
export async function runOpa(args: readonly string[], cwd: string): Promise<string> {
  const { exitCode, stdout, stderr } = await tryOpa(args, cwd)
  if (exitCode !== 0) throw new Error(`opa ${args[0]} failed:\n${`${stderr}${stdout}`.trimEnd()}`)
  return stdout
}
