import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { OPA_VERSION } from '../../../gateway/policy/authoring/opa.ts'
import { ENVOY_VERSION, PEER_TOOLS, RATELIMIT_VERSION, versionLine } from '../../harness/peer-tools.ts'
import { findRedis } from '../../harness/redis.ts'

/** What the figures were seen on, and with. */
export interface MachineFacts {
  readonly processor: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  /** Load average over a minute, before the run began: near 0 on a quiet machine. */
  readonly loadBefore: number
  readonly commit: string
  readonly upstream: string
  readonly versions: Readonly<Record<string, string>>
}

const ROOT = join(import.meta.dirname, '..', '..', '..')
const PACKAGES = ['undici', '@fastify/reply-from', 'fastify', 'http-proxy', 'jose'] as const

export function machineFacts(upstream: string): MachineFacts {
  const processors = cpus()
  return {
    processor: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 1_073_741_824),
    system: `Linux ${release()}`,
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(2)),
    commit: commit(),
    upstream,
    versions: versions(),
  }
}

function commit(): string {
  try {
    const git = (...args: readonly string[]): string =>
      execFileSync('git', [...args], { cwd: ROOT, encoding: 'utf8' }).trim()
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', ':!test/bench')
    return `${git('rev-parse', '--short=12', 'HEAD')}${changed === '' ? '' : ', with changes'}`
  } catch {
    return 'unknown'
  }
}

function versions(): Record<string, string> {
  const found: Record<string, string> = { node: process.version }
  for (const name of PACKAGES) {
    const text = readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')
    found[name] = (JSON.parse(text) as { readonly version: string }).version
  }
  found['opa'] = OPA_VERSION
  found['redis'] = /v=([\d.]+)/.exec(versionLine(findRedis(), '--version'))?.[1] ?? 'unknown'
  const tools = { nginx: PEER_TOOLS.nginx, envoy: PEER_TOOLS.envoy, ratelimit: PEER_TOOLS.ratelimit }
  const told = {
    nginx: (path: string) => versionLine(path, '-v').replace(/^.*nginx\//, ''),
    envoy: () => ENVOY_VERSION,
    ratelimit: () => RATELIMIT_VERSION,
  }
  for (const name of ['nginx', 'envoy', 'ratelimit'] as const) {
    try {
      found[name] = told[name](tools[name].find())
    } catch {
      found[name] = 'missing'
    }
  }
  return found
}
