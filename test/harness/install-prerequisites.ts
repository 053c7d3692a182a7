import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { findOpa, OPA_VERSION } from '../../gateway/policy/authoring/opa.ts'
import { TOOLS_DIRECTORY } from '../../gateway/policy/authoring/pinned-tool.ts'
import { findRegal, REGAL_VERSION } from '../../gateway/policy/authoring/regal.ts'
import { PEER_TOOLS } from './peer-tools.ts'
import { findRedis } from './redis.ts'
import { downloadOpa } from './release-opa.ts'

/**
 * Finds what the tests run against, or installs it: Redis, Prometheus and Go from Debian's packages, `opa`
 * by `go install` of the pinned module (whose bytes Go's checksum database vouches for), or where there is no Go the
 * pinned release by its SHA-256. What can be neither found nor installed is named, with how to get it, and the tests
 * do not start. With names as arguments only those; Regal, which lints the rules and takes a minute to compile, is
 * installed only where it is named. `peers` stands for all that the benches hold the gateway against: those may be
 * missing, and are then missing in the results.
 */
interface Prerequisite {
  readonly name: string
  readonly version?: string
  readonly onlyIfNamed?: true
  /** Throws, saying what to install, when it is not there. */
  find(): unknown
  install(): void | Promise<void>
}

const PREREQUISITES: readonly Prerequisite[] = [
  { name: 'redis-server', find: findRedis, install: () => installPackages('redis-server') },
  { name: 'prometheus', find: findPrometheus, install: () => installPackages('prometheus') },
  { name: 'opa', version: OPA_VERSION, find: findOpa, install: installOpa },
  { name: 'go', find: findGo, install: () => installPackages('golang-go') },
  { name: 'regal', version: REGAL_VERSION, find: findRegal, install: installRegal, onlyIfNamed: true },
]

function findPrometheus(): void {
  for (const program of ['prometheus', 'promtool']) {
    if (spawnSync(program, ['--version']).status !== 0) {
      throw new Error(
        `No ${program} on PATH. Install Prometheus: \`apt-get install prometheus\` (Debian, Ubuntu).`,
      )
    }
  }
}

/** The audit log is read by a verifier in Go; its one module comes from Go's module proxy. */
function findGo(): void {
  if (spawnSync('go', ['version']).status === 0) return
  throw new Error('No go on PATH. Install Go 1.19 or later: `apt-get install golang-go` (Debian, Ubuntu).')
}

function installPackages(...packages: readonly string[]): void {
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  const apt = (...args: readonly string[]): void => run([...asRoot, 'apt-get', '-qq', ...args])
  apt('update')
  // The package's own service would sit on the default port; tests start their own on free ones.
  apt('install', '-y', '--no-install-recommends', ...packages)
}

async function installOpa(): Promise<void> {
  mkdirSync(TOOLS_DIRECTORY, { recursive: true })
  try {
    run(['go', 'install', `github.com/open-policy-agent/opa@v${OPA_VERSION}`], {
      GOBIN: TOOLS_DIRECTORY,
      CGO_ENABLED: '0',
    })
  } catch (error) {
    console.log(`opa: ${String(error)}; downloading the release instead`)
    await downloadOpa(TOOLS_DIRECTORY)
  }
}

/** The module beside this file pins what it is made of; its version is told to it, as its releases are. */
function installRegal(): void {
  const version = `-ldflags=-X=github.com/open-policy-agent/regal/pkg/version.Version=${REGAL_VERSION}`
  const source = ['-C', join(import.meta.dirname, 'regal'), '-mod=readonly', version]
  mkdirSync(TOOLS_DIRECTORY, { recursive: true })
  run(
    ['go', 'build', ...source, '-o', join(TOOLS_DIRECTORY, 'regal'), 'github.com/open-policy-agent/regal'],
    { CGO_ENABLED: '0' },
  )
}

function run(command: readonly string[], environment: Record<string, string> = {}): void {
  const [program = '', ...args] = command
  console.log(`installing: ${command.join(' ')}`)
  const { status, error } = spawnSync(program, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', ...environment },
  })
  if (error !== undefined || status !== 0) throw new Error(`${program} failed`, { cause: error })
}

/** Nothing when it is there in the end, otherwise what a person has to do. */
async function provide({ name: program, version, find, install }: Prerequisite): Promise<string | undefined> {
  const name = version === undefined ? program : `${program} ${version}`
  try {
    await find()
    return undefined
  } catch {
    try {
      await install()
    } catch (error) {
      console.log(`${name}: could not be installed (${String(error)})`)
    }
  }
  try {
    await find()
    return undefined
  } catch (error) {
    return `${name}: ${error instanceof Error ? error.message : String(error)}`
  }
}

const named = new Set(process.argv.slice(2))
if (named.delete('peers')) {
  for (const tool of Object.values(PEER_TOOLS)) {
    const problem = await provide({ ...tool, install: () => tool.install(run) })
    if (problem !== undefined) console.log(`not in the benches: ${problem}`)
  }
  if (named.size === 0) process.exit()
}
const wanted = PREREQUISITES.filter(({ name, onlyIfNamed = false }) =>
  named.size === 0 ? !onlyIfNamed : named.has(name),
)
const missing: string[] = []
for (const prerequisite of wanted) {
  const problem = await provide(prerequisite)
  if (problem !== undefined) missing.push(problem)
}
for (const problem of missing) console.error(problem)
process.exitCode = missing.length === 0 ? 0 : 1
