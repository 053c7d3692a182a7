import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pinTool } from './pinned-tool.ts'
import { ruleFolders } from './read-sources.ts'

/** Another version may know other rules, and find something in what is clean today. */
export const REGAL_VERSION = '0.42.0'

const regal = pinTool({
  name: 'regal',
  version: REGAL_VERSION,
  install: 'node test/harness/install-prerequisites.ts regal',
})

/** Path of the pinned `regal`. @throws Error that says what to install */
export function findRegal(): Promise<string> {
  return regal.find()
}

/** Whether a policy folder says how it wants to be linted. */
export async function hasRegalConfig(directory: string): Promise<boolean> {
  return stat(join(directory, '.regal', 'config.yaml')).then(
    (found) => found.isFile(),
    () => false,
  )
}

interface Report {
  readonly violations: readonly {
    readonly title: string
    readonly description: string
    readonly category: string
    readonly location: { readonly file: string; readonly row: number }
  }[]
}

/**
 * What `regal lint` finds in the rules of a folder, one line each.
 *
 * @throws Error when there is no `regal` of the pinned version
 */
export async function lintRules(directory: string): Promise<readonly string[]> {
  const folders = await ruleFolders(directory)
  const { stdout, stderr } = await regal.run(['lint', '--format', 'json', ...folders], directory)
  let report: Report
  try {
    report = JSON.parse(stdout) as Report
  } catch {
    return `${stderr}${stdout}`.split('\n').filter((line) => line.trim() !== '')
  }
  return report.violations.map(
    ({ title, description, category, location: { file, row } }) =>
      `${file}:${row} ${description} (${category}/${title})`,
  )
}
