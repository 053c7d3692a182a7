import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

/** The version that made the committed bundle: another one may compile the same rules to other bytes. */
export const OPA_VERSION = '1.20.2'

/** Where `test/harness/install-prerequisites` puts an `opa` of its own. */
export const OPA_CACHE_DIRECTORY = join(import.meta.dirname, '..', 'node_modules', '.cache', 'toolgate')

const run = promisify(execFile)

/**
 * Path of the pinned `opa`: on PATH, in Go's bin folder, or in the cache of this repository.
 *
 * @throws Error that says what to install
 */
export async function findOpa(): Promise<string> {
  found ??= await search()
  return found
}

let found: string | undefined

async function search(): Promise<string> {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter((directory) => directory !== '')
  const directories = [...onPath, OPA_CACHE_DIRECTORY, ...(await goBinDirectories())]
  const others: string[] = []
  for (const directory of new Set(directories)) {
    const path = join(directory, 'opa')
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
    await access(path, constants.X_OK)
    const { stdout } = await run(path, ['version'])
    return /^Version: (\S+)$/m.exec(stdout)?.[1]
  } catch {
    return undefined
  }
}

/** Runs `opa` and returns what it printed. Rejects with its own words when it fails. */
export async function runOpa(args: readonly string[], cwd: string): Promise<string> {
  const opa = await findOpa()
  try {
    const { stdout } = await run(opa, args, { cwd, maxBuffer: 256 * 1024 * 1024 })
    return stdout
  } catch (cause) {
    const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string }
    throw new Error(`opa ${args.slice(0, 2).join(' ')} failed:\n${stderr}${stdout}`, { cause })
  }
}
