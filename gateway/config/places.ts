import { accessSync, constants, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Config } from './config.ts'
import type { ConfigProblem } from './problem.ts'

/** What the gateway writes to has to be writable before anything is opened: the record, and the log. */
export function recording({ audit }: Config): ConfigProblem[] {
  return problem('audit.directory', obstacleTo(audit.directory, 'folder'))
}

export function logging({ telemetry: { logDestination } }: Config): ConfigProblem[] {
  if (logDestination === 'stdout' || logDestination === 'stderr') return []
  return problem('telemetry.logDestination', obstacleTo(resolve(logDestination), 'file'))
}

function problem(path: string, reason: string | undefined): ConfigProblem[] {
  return reason === undefined ? [] : [{ path, reason }]
}

/** Why nothing can be written at `path`; it is made where it is not there, so then the nearest folder above counts. */
function obstacleTo(path: string, wanted: 'file' | 'folder'): string | undefined {
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
