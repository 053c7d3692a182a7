import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { findOpa, OPA_CACHE_DIRECTORY, OPA_VERSION } from '../../gateway/policy/authoring/opa.ts'
import { findRedis } from './redis.ts'
import { downloadOpa } from './release-opa.ts'

/**
 * Finds what the tests run against, or installs it: Redis and Prometheus from Debian's packages, `opa`
 * by `go install` of the pinned module (whose bytes Go's checksum database vouches for), or where there is no Go the
 * pinned release by its SHA-256. What can be neither found nor installed is named, with how to get it, and the tests
 * do not start.
 */
interface Prerequisite {
  readonly name: string
  /** Throws, saying what to install, when it is not there. */
  find(): unknown
  install(): void | Promise<void>
}

const PREREQUISITES: readonly Prerequisite[] = [
  { name: 'redis-server', find: findRedis, install: () => installPackages('redis-server') },
  { name: 'prometheus', find: findPrometheus, install: () => installPackages('prometheus') },
  { name: `opa ${OPA_VERSION}`, find: findOpa, install: installOpa },
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

function installPackages(...packages: readonly string[]): void {
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  const apt = (...args: readonly string[]): void => run([...asRoot, 'apt-get', '-qq', ...args])
  apt('update')
  // The package's own service would sit on the default port; tests start their own on free ones.
  apt('install', '-y', '--no-install-recommends', ...packages)
}

async function installOpa(): Promise<void> {
  mkdirSync(OPA_CACHE_DIRECTORY, { recursive: true })
  try {
    run(['go', 'install', `github.com/open-policy-agent/opa@v${OPA_VERSION}`], {
      GOBIN: OPA_CACHE_DIRECTORY,
      CGO_ENABLED: '0',
    })
  } catch (error) {
    console.log(`opa: ${String(error)}; downloading the release instead`)
    await downloadOpa(OPA_CACHE_DIRECTORY)
  }
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
async function provide({ name, find, install }: Prerequisite): Promise<string | undefined> {
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

const missing: string[] = []
for (const prerequisite of PREREQUISITES) {
  const problem = await provide(prerequisite)
  if (problem !== undefined) missing.push(problem)
}
for (const problem of missing) console.error(problem)
process.exitCode = missing.length === 0 ? 0 : 1
