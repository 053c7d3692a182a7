import { execFile } from 'node:child_process'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

/** Where `test/harness/install-prerequisites` puts the programs that it installs. */
export const TOOLS_DIRECTORY = resolve(import.meta.dirname, '../../../node_modules/.cache/toolgate')

/** What `opa` prints for a large policy is mostly its trace of coverage. */
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024

const run = promisify(execFile)

export interface ToolResult {
  /** Exit code of the program: 0 done, anything else in the program's own meaning. */
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** A program that is used in one version only: another may say something else of the same rules. */
export interface PinnedTool {
  /**
   * Path of the program: on PATH, in Go's bin folder, or in the cache of this repository.
   *
   * @throws Error that says what to install
   */
  find(): Promise<string>
  /**
   * Runs it to its end, whatever it comes to.
   *
   * @throws Error when there is none of the pinned version, or it could not be run
   */
  run(args: readonly string[], cwd: string): Promise<ToolResult>
}

interface Pin {
  readonly name: string
  readonly version: string
  /** Command line that installs it, for whom there is none. */
  readonly install: string
}

export function pinTool(pin: Pin): PinnedTool {
  let found: Promise<string> | undefined
  const find = (): Promise<string> => {
    found ??= search(pin).catch((error: unknown) => {
      // Installing it must be enough: the next look is a new one.
      found = undefined
      throw error
    })
    return found
  }
  return { find, run: async (args, cwd) => runTool(pin.name, await find(), args, cwd) }
}

async function runTool(
  name: string,
  path: string,
  args: readonly string[],
  cwd: string,
): Promise<ToolResult> {
  try {
    const { stdout, stderr } = await run(path, args, { cwd, maxBuffer: MAX_OUTPUT_BYTES })
    return { exitCode: 0, stdout, stderr }
  } catch (cause) {
    const { code, stdout = '', stderr = '' } = cause as { code?: unknown; stdout?: string; stderr?: string }
    if (typeof code !== 'number') throw new Error(`${name} ${args[0]} could not be run in ${cwd}`, { cause })
    return { exitCode: code, stdout, stderr }
  }
}

async function search({ name, version, install }: Pin): Promise<string> {
  const directories = [TOOLS_DIRECTORY, ...(await goBinDirectories())]
  const others: string[] = []
  for (const path of [name, ...new Set(directories.map((directory) => join(directory, name)))]) {
    const there = await versionOf(path)
    if (there === version) return path
    if (there !== undefined) others.push(`${path} is ${there}`)
  }
  throw new Error(
    [
      `${name} ${version} was not found${others.length > 0 ? ` (${others.join(', ')})` : ''}. Install it with`,
      `  ${install}`,
      `or put the release binary of that version, named ${name}, on PATH or into`,
      `  ${TOOLS_DIRECTORY}`,
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
    return /^Version:\s+(\S+)$/m.exec(stdout)?.[1]
  } catch {
    return undefined
  }
}
