import { accessSync, constants, statSync } from 'node:fs'
import { dirname, isAbsolute, relative, resolve } from 'node:path'
import type { Config } from './config.ts'
import type { AuditConfig, DisclosuresConfig } from './audit-config.ts'
import type { ConfigProblem } from './problem.ts'

/** What the gateway writes to has to be writable before anything is opened: the record, and the log. */
export function recording({ audit }: Config): ConfigProblem[] {
  const { directory, disclosures } = audit
  const record = problem('audit.directory', obstacleTo(directory, 'folder'))
  if (!disclosures.enabled) return record
  return [
    ...record,
    ...problem('audit.disclosures.directory', obstacleTo(disclosures.directory, 'folder') ?? mixed(audit)),
    ...problem('audit.disclosures.keyFile', keyObstacle(disclosures)),
  ]
}

/** The log takes every folder in its directory for a process, and whoever copies one should not copy the other. */
function mixed({ directory, disclosures }: AuditConfig): string | undefined {
  if (isWithin(disclosures.directory, directory)) return 'lies in audit.directory'
  return isWithin(directory, disclosures.directory) ? 'has audit.directory in it' : undefined
}

/** A key that exists may be read-only, as mounted secrets are; one beside what it opens protects nothing. */
function keyObstacle({ directory, keyFile }: DisclosuresConfig): string | undefined {
  if (isWithin(keyFile, directory)) return 'lies in audit.disclosures.directory'
  const found = statSync(keyFile, { throwIfNoEntry: false })
  if (found === undefined) return obstacleTo(dirname(keyFile), 'folder')
  return found.isFile() ? undefined : `${keyFile} is no file`
}

export function isWithin(path: string, folder: string): boolean {
  const way = relative(resolve(folder), resolve(path))
  return way === '' || (!way.startsWith('..') && !isAbsolute(way))
}

export function logging({ telemetry: { logDestination } }: Config): ConfigProblem[] {
  if (logDestination === 'stdout' || logDestination === 'stderr') return []
  return problem('telemetry.logDestination', obstacleTo(resolve(logDestination), 'file'))
}

function problem(path: string, reason: string | undefined): ConfigProblem[] {
  return reason === undefined ? [] : [{ path, reason }]
}

/** Why nothing can be written at `path`; it is made where it is not there, so then the nearest folder above counts. */
export function obstacleTo(path: string, wanted: 'file' | 'folder'): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return obstacleTo(dirname(path), 'folder')
  if (found.isDirectory() !== (wanted === 'folder')) return `${path} is no ${wanted}`
  try {
    accessSync(path, constants.W_OK)
    return undefined
  } catch {
    return `${path} cannot be written to`
  }
}
